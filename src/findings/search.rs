//! The search for findings: all rules, applied to one run or to several.

use super::finding::Finding;
use super::recent::Recent;
use super::subject::Subject;
use super::{
    adjustment, compare, conflict, depth, gates, noise, setback, thirds, training, unlearned,
};

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
        let unlearned = unlearned::findings(&recent, &parts);
        of_run.extend(adjustment::finding(subject.run, started, subject.logits));
        of_run.extend(setback::finding(&recent, &unlearned));
        of_run.extend(unlearned);
        of_run.extend(conflict::finding(&recent, &parts));
        of_run.extend(thirds::finding(&recent, &parts));
        of_run.extend(noise::finding(&recent));
        of_run.extend(gates::findings(&recent));
        of_run.extend(depth::findings(subject.run, started));
        for finding in &mut of_run {
            finding.evidence.run = index;
            finding.name_batch_norm(subject.run);
        }
        found.extend(of_run);
    }
    // Class gradients that were measured in different ways are not compared.
    if let [a, b, ..] = subjects
        && a.run.batch_norm() == b.run.batch_norm()
    {
        let mut finding = compare::finding(a.run, b.run);
        let named = finding.iter_mut();
        named.for_each(|finding| finding.name_batch_norm(a.run));
        found.extend(finding);
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}
