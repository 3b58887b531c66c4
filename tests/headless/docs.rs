//! The documentation is up to date: its links have targets, and every figure, command and option is described.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::CommandFactory as _;
use crosscurrent::cli::Arguments;
use crosscurrent::figure::Kind;

/// Most lines of README.md: two screens.
const README_LINES: usize = 120;
/// Commands whose options are the fields of a configuration, which have a page of their own.
const OF_CONFIGURATION: [&str; 2] = ["train", "data"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The pages in assets/docs, sorted.
fn docs() -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(root().join("assets/docs"))? {
        pages.push(entry?.path());
    }
    pages.sort();
    Ok(pages)
}

/// The lines of a page outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// The targets of all Markdown links of a page that are not addresses on the web.
fn relative_links(text: &str) -> Vec<&str> {
    let targets = prose(text).flat_map(|line| line.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.contains("://")).collect()
}

/// The anchor that a heading gets on GitHub.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let kept = heading.trim().chars().filter(kept);
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn has_anchor(text: &str, wanted: &str) -> bool {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let mut anchors = headings.map(|line| anchor(line.trim_start_matches('#')));
    anchors.any(|found| found == wanted)
}

/// The missing target of a link: the file, or the heading within it. `None` where the target exists.
fn missing(page: &Path, text: &str, link: &str) -> Result<Option<String>> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => page.to_owned(),
        file => page.parent().context("a page has a folder")?.join(file),
    };
    let is_there = target.exists()
        && match (heading, file) {
            ("", _) => true,
            (heading, "") => has_anchor(text, heading),
            (heading, _) => has_anchor(&read(&target)?, heading),
        };
    Ok((!is_there).then(|| format!("{} links to {link}", page.display())))
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_that_exist() -> Result<()> {
    let mut pages = docs()?;
    pages.push(root().join("README.md"));
    pages.push(root().join("assets/experiments/README.md"));
    let mut broken = Vec::new();
    let mut links = 0;
    for page in &pages {
        let text = read(page)?;
        for link in relative_links(&text) {
            broken.extend(missing(page, &text, link)?);
            links += 1;
        }
    }
    assert!(links > 30, "only {links} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

#[test]
fn the_readme_links_every_page_and_fits_on_two_screens() -> Result<()> {
    let readme = read(&root().join("README.md"))?;
    let lines = readme.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
    let links = relative_links(&readme);
    for page in docs()? {
        let name = page.file_name().context("a page has a name")?;
        let link = format!("assets/docs/{}", name.to_string_lossy());
        assert!(links.contains(&link.as_str()), "README.md links {link}");
    }
    Ok(())
}

#[test]
fn every_page_says_first_whom_it_is_for() -> Result<()> {
    for page in docs()? {
        let text = read(&page)?;
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let title = lines.next().unwrap_or_default();
        let first = lines.next().unwrap_or_default();
        assert!(title.starts_with("# "), "{}: {title}", page.display());
        let says_it = first.starts_with("This page is for ");
        assert!(says_it, "{}: {first}", page.display());
    }
    Ok(())
}

#[test]
fn every_figure_has_a_row_in_its_page() -> Result<()> {
    let page = read(&root().join("assets/docs/figures.md"))?;
    for kind in Kind::ALL {
        let row = format!("| `{}` | {} |", kind.name(), kind.title());
        assert!(page.contains(&row), "figures.md has no row {row}");
    }
    Ok(())
}

#[test]
fn every_command_and_its_options_are_in_their_page() -> Result<()> {
    let page = read(&root().join("assets/docs/command-line.md"))?;
    let program = Arguments::command();
    // Hidden commands are called by the program itself.
    for command in program
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = command.get_name();
        let row = format!("| [`{name}`](#");
        assert!(page.contains(&row), "command-line.md has no row {row}");
        if OF_CONFIGURATION.contains(&name) {
            continue;
        }
        let shown = command.get_arguments().filter(|x| !x.is_hide_set());
        for option in shown.filter_map(|argument| argument.get_long()) {
            let is_there = [format!("`--{option}`"), format!("`--{option} ")];
            let is_there = is_there.iter().any(|text| page.contains(text));
            assert!(is_there, "command-line.md does not mention --{option}");
        }
    }
    Ok(())
}

/// What is written by hand for packages: the version, and the commands in the manual page.
#[test]
fn packages_have_this_version_and_every_command() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    for (file, text) in [
        (
            "python/crosscurrent/__init__.py",
            format!("__version__ = \"{version}\""),
        ),
        ("linux/changelog", format!("crosscurrent ({version}-1)")),
        (
            "linux/crosscurrent.1",
            format!("\"Crosscurrent {version}\""),
        ),
        (
            "linux/invalid.crosscurrent.crosscurrent.metainfo.xml",
            format!("<release version=\"{version}\""),
        ),
    ] {
        let found = read(&root().join("assets").join(file))?;
        assert!(found.contains(&text), "assets/{file} does not say {text}");
    }
    let manual = read(&root().join("assets/linux/crosscurrent.1"))?;
    let command = Arguments::command();
    for command in command.get_subcommands().filter(|x| !x.is_hide_set()) {
        let name = format!(".B {}\n", command.get_name());
        assert!(manual.contains(&name), "the manual page lacks {name}");
    }
    Ok(())
}
