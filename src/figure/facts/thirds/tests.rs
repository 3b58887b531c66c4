//! Conflict between thirds from the log.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::testing::recorded;

/// The recorded run was written before conflict between thirds was recorded; a log that has it gives that of the backbone
/// and of single layers, whatever is in memory.
#[test]
fn the_log_alone_says_how_thirds_conflict() -> Result<()> {
    let mut run = recorded("solar-branch")?;
    let step = run.run.probes[2].step;
    let layer = Scope::Layer("branch2.conv2".to_owned());
    let block = Scope::Group("branch2".to_owned());
    for scope in [&Scope::Backbone, &layer, &block] {
        assert_eq!(of_part(&run.run, &run.run.probes[2], scope), None);
    }
    let backbone = &run.run.probes[2].backbone;
    assert_eq!(missing(&run.run, backbone), Some(NOT_IN_LOG));

    let tensors = run.probes.get(&step).context("tensors")?;
    let thirds = |scope: &Scope| {
        let gram = tensors.gram_of(&run.run.gram_rows(scope))?;
        run.run.summary_of(&gram, step).thirds
    };
    let (of_backbone, of_layer) = (thirds(&Scope::Backbone), thirds(&layer));
    let [row] = run.run.gram_rows(&layer)[..] else {
        anyhow::bail!("a layer has one row");
    };
    let probe = &mut run.run.probes[2];
    probe.backbone.thirds = of_backbone.clone();
    probe.layers[row].thirds = of_layer.clone();
    assert!(of_backbone.is_some() && of_layer.is_some() && of_layer != of_backbone);
    let probe = run.run.probes[2].clone();
    assert_eq!(
        of_part(&run.run, &probe, &Scope::Backbone),
        of_backbone.as_deref()
    );
    assert_eq!(of_part(&run.run, &probe, &layer), of_layer.as_deref());
    assert_eq!(of_part(&run.run, &probe, &block), None);
    assert_eq!(missing(&run.run, &probe.backbone), None);

    if let Some(started) = &mut run.run.started {
        started.train_counts.fill(50);
    }
    let bare = &run.run.probes[1].backbone;
    assert_eq!(missing(&run.run, bare), Some(NO_THIRDS));
    Ok(())
}
