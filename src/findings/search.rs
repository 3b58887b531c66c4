//! The search for findings: all rules, applied to one run or to several.

use super::finding::Finding;
use super::recent::Recent;
use super::subject::Subject;
use super::{compare, conflict, depth, gates, noise, thirds, training, unlearned};

/// All findings in these runs, the most pressing first. The first two runs are also compared with each other.
pub fn find(subjects: &[Subject<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let Some(started) = &subject.run.started else {
            continue;
        };
        let recent = Recent::new(subject, started);
        let mut of_run = training::findings(subject.run, started);
        let parts = recent.parts();
        of_run.extend(unlearned::findings(&recent, &parts));
        of_run.extend(conflict::finding(&recent, &parts));
        of_run.extend(thirds::finding(&recent, &parts));
        of_run.extend(noise::finding(&recent));
        of_run.extend(gates::findings(&recent));
        of_run.extend(depth::findings(subject.run, started));
        of_run
            .iter_mut()
            .for_each(|finding| finding.evidence.run = index);
        found.extend(of_run);
    }
    if let [a, b, ..] = subjects {
        found.extend(compare::finding(a.run, b.run));
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}
