use std::collections::BTreeSet;

use super::*;

const SMALL: &str = r#"
    name = "small"
    seeds = 2
    [run]
    epochs = 3
    [grid]
    attention = ["none", "branch"]
    width = ["1/4"]
    lr = [0.1, 0.05]
"#;

#[test]
fn a_grid_is_every_combination_for_every_seed() {
    let sweep = Sweep::parse(SMALL).unwrap();
    let names: Vec<_> = sweep.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names.len(), 8);
    assert_eq!(
        names[..3],
        [
            "attention-none_lr-0.1_width-1-4_seed-0",
            "attention-none_lr-0.05_width-1-4_seed-0",
            "attention-branch_lr-0.1_width-1-4_seed-0"
        ]
    );
    assert!(names[4..].iter().all(|name| name.ends_with("seed-1")));
    let last = &sweep.runs[7].config;
    assert_eq!((last.seed, last.lr, last.epochs), (1, Some(0.05), 3));
    assert_eq!(last.attention.name(), "branch");
}

#[test]
fn the_experiments_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            let sweep = Sweep::read(&path).unwrap();
            assert_eq!(path.file_stem().unwrap(), sweep.name.as_str());
            let seeds: BTreeSet<u64> = sweep.runs.iter().map(|run| run.config.seed).collect();
            assert!(seeds.len() >= 3, "{}: several seeds", sweep.name);
            names.push(sweep.name);
        }
    }
    assert!(names.len() >= 3, "{names:?}");
}

#[test]
fn parts_are_whole_seeds_and_cover_everything_once() {
    let sweep = Sweep::parse(&SMALL.replace("seeds = 2", "seeds = [5, 3, 9]")).unwrap();
    let part = |text: &str| -> Vec<&Planned> { sweep.part(text.parse().unwrap()).collect() };
    let (one, two) = (part("1/2"), part("2/2"));
    assert!(one.iter().all(|run| run.config.seed != 3) && one.len() == 8);
    assert!(two.iter().all(|run| run.config.seed == 3) && two.len() == 4);
    for wrong in ["0/2", "3/2", "2", "a/b", "1/0"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}

#[test]
fn mistakes_are_named() {
    let with = |from: &str, to: &str| Sweep::parse(&SMALL.replace(from, to)).unwrap_err();
    for (from, to, named) in [
        ("epochs = 3", "epoch = 3", "unknown field `epoch`"),
        ("epochs = 3", "epochs = 0", "epochs"),
        ("epochs = 3", "lr = 3.0", "in [run] and in [grid]"),
        ("epochs = 3", "seed = 3", "`seeds`"),
        ("[\"1/4\"]", "\"1/4\"", "list of values"),
        ("[\"1/4\"]", "[\"1/3\"]", "1/4"),
        ("[\"1/4\"]", "[\"1/4\", \"1/4\"]", "each value once"),
        ("seeds = 2", "seeds = 0", "0 runs"),
        ("seeds = 2", "seeds = \"x\"", "`seeds` must be"),
        ("seeds = 2", "", "seeds"),
        ("\"small\"", "\"../small\"", "`name`"),
        ("[run]", "[slurm]\nmem = 1.5\n[run]", "`mem` in [slurm]"),
    ] {
        let said = with(from, to);
        assert!(said.contains(named) && !said.contains('\n'), "{to}: {said}");
    }
}

#[test]
fn options_of_slurm_are_kept_as_written() {
    let table = "[slurm]\ntime = \"4:00:00\"\ncpus-per-task = 4\nexclusive = true\n[run]";
    let sweep = Sweep::parse(&SMALL.replace("[run]", table)).unwrap();
    let mut options = sweep.slurm;
    options.sort();
    let wanted = [
        ("cpus-per-task", "4"),
        ("exclusive", ""),
        ("time", "4:00:00"),
    ];
    assert_eq!(
        options,
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}
