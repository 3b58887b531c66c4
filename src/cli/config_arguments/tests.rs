use clap::Parser;

use super::*;
use crate::config::{Attention, DataSource};

#[derive(Debug, Parser)]
struct Train {
    #[command(flatten)]
    config: ConfigArguments<false>,
}

fn read(flags: &[&str]) -> anyhow::Result<RunConfig> {
    let flags = ["train"].iter().chain(flags);
    Train::try_parse_from(flags)?.config.read()
}

#[test]
fn every_field_has_its_flag() -> anyhow::Result<()> {
    <Train as clap::CommandFactory>::command().debug_assert();
    for field in FIELDS {
        let value = match field.kind {
            Kind::Number => "0.5",
            Kind::Whole if field.name == "channels" => "3",
            Kind::Whole => "7",
            Kind::Flag if field.default_text() == "true" => "false",
            Kind::Flag => "true",
            Kind::Choice(choices) => choices.last().context("choices")?.name,
            Kind::Size => "20x30",
            Kind::Source => "folder:x",
            Kind::Splits => "train=a,test=b c",
            Kind::Shares => "0.25,0.5",
            Kind::Prior => "0.5,0.5",
            Kind::Wholes => "5",
            Kind::Name => "label",
        };
        // An imbalance of 0.5 is out of bounds.
        let value = if field.name == "imbalance" {
            "1.5"
        } else {
            value
        };
        let value = if field.name == "width" { "1/2" } else { value };
        let config = read(&[&format!("--{}", field.flag), value])?;
        assert_eq!(field.text(&config), value, "{}", field.name);
        let changed = crate::config::differences(&[&config, &RunConfig::default()]);
        assert_eq!(changed.len(), 1, "{}", field.name);
    }
    Ok(())
}

#[test]
fn flags_without_a_value_are_true() -> anyhow::Result<()> {
    let config = read(&[
        "--tf32",
        "--skip-unreadable",
        "--flip",
        "false",
        "--lr",
        "1",
    ])?;
    assert!(config.tf32 && config.skip_unreadable && !config.flip);
    let config = read(&["--flip", "--tf32=false"])?;
    assert!(config.flip && !config.tf32);
    Ok(())
}

#[test]
fn flags_override_the_file() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.toml");
    let file = "[config]\nepochs = 3\nbatch = 64\nskip_unreadable = true\nval = 5\n";
    std::fs::write(&path, file)?;
    let path = path.to_str().context("path")?;
    let config = read(&["--batch", "32", "--data", "folder:x", "--config", path])?;
    let expected = RunConfig {
        epochs: 3,
        batch: 32,
        skip_unreadable: true,
        val: Some(5),
        data: DataSource::Folder("x".into()),
        ..RunConfig::default()
    };
    assert_eq!(config, expected);
    assert_eq!(read(&["--attention", "wide"])?.attention, Attention::Wide);
    Ok(())
}

/// A field beside the table of fields is refused; what a run writes beside it is not.
#[test]
fn no_field_of_a_file_is_without_effect() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.toml");
    let read_from = |file: &str| -> anyhow::Result<RunConfig> {
        std::fs::write(&path, file)?;
        read(&["--config", path.to_str().context("path")?])
    };
    let head = "format = 2\ncode_version = \"0.1.0\"\ninstruction_set = \"cpu\"\n";
    assert_eq!(
        read_from(&format!("{head}[config]\nepochs = 3\n"))?.epochs,
        3
    );
    let refused = read_from("epochs = 3\n[config]\nbatch = 64\n");
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("`epochs`") && said.contains("run.toml"),
        "{said}"
    );
    Ok(())
}

#[test]
fn wrong_values_are_refused_with_what_would_be_right() {
    for (flags, said) in [
        (["--epochs", "x"], "write a whole number, such as 10"),
        (["--lr", "-1"], "lr: must be a positive number, such as 0.1"),
        (["--lr", "-1e-3"], "lr: must be a positive number"),
        (["--val", "-5"], "write a whole number, such as 10"),
        (["--seed", "-1"], "write a whole number, such as 10"),
        (["--splits", "train"], "write `none` or `train=FOLDER"),
        (["--epochs", "0"], "epochs: must be between 1 and 100000"),
        (["--size", "big"], "write WIDTHxHEIGHT"),
        (["--data", "nonsense"], "`solar` or `folder:PATH`"),
        (["--flip", "yes"], "true, false"),
        (["--loss", "none"], "ce, focal, ldam"),
    ] {
        let error = read(&flags).unwrap_err().to_string();
        assert!(error.contains(said), "{flags:?}: {error}");
    }
}

#[test]
fn data_takes_the_fields_of_the_data_alone() {
    let fields: Vec<_> = ConfigArguments::<true>::fields().map(|x| x.name).collect();
    let expected = [
        "data",
        "splits",
        "image_column",
        "label_column",
        "size",
        "channels",
        "skip_unreadable",
        "imbalance",
        "profile",
        "val",
        "data_seed",
    ];
    assert_eq!(fields, expected);
}
