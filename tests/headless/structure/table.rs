//! The rooms of the crate: what each is for, which places it may import, and which other crates are restricted to which
//! rooms.
//!
//! A room is a file, or a folder with everything below it. Where the table has further rooms below a room, the room's
//! own line governs only its `mod.rs`, and everything beside that file needs a line.

/// A line of the table.
pub(super) struct Room {
    /// Place in the module tree: `figure/kit` is the folder `src/figure/kit`, or the file `src/figure/kit.rs`.
    pub(super) name: &'static str,
    /// What the room is for, in one line.
    pub(super) is_for: &'static str,
    /// Places that the room may import, each with everything below it.
    pub(super) may: &'static [&'static str],
}

const fn room(name: &'static str, is_for: &'static str, may: &'static [&'static str]) -> Room {
    Room { name, is_for, may }
}

/// Every room. A room stands after the rooms that it imports.
pub(super) const ROOMS: &[Room] = &[
    // Rooms on which the others build.
    room("text", "words, excerpts and hashes of text", &[]),
    room("files", "reading files that strangers may have made", &[]),
    room("random", "the one source of randomness", &["text"]),
    room("threads", "the threads that compute", &[]),
    room(
        "signals",
        "signals of the system that ask the program to end",
        &[],
    ),
    room(
        "network",
        "the parts of a network in names and plain numbers",
        &[],
    ),
    room(
        "config",
        "an experiment: its fields with their names, help, units and bounds",
        &[],
    ),
    room(
        "class_balance",
        "shares and weights of classes",
        &["config"],
    ),
    room(
        "gradient",
        "what follows from class gradients: Gram matrices, conflict, effects",
        &[],
    ),
    room(
        "run",
        "a run: its events, their one reducer, and its directory",
        &[
            "class_balance",
            "config",
            "files",
            "gradient",
            "network",
            "text",
        ],
    ),
    // Rooms that compute with tensors.
    room(
        "ops",
        "the operations that networks are made of, each with its gradient",
        &[],
    ),
    room(
        "data",
        "data sets: formats, splits, long tails, batches",
        &[
            "class_balance",
            "config",
            "files",
            "network",
            "random",
            "text",
            "threads",
        ],
    ),
    room(
        "samples",
        "sample images of a configuration's data, or of a run as recorded",
        &["config", "data", "run"],
    ),
    room(
        "model",
        "the network: layers, parameters, forward pass",
        &["config", "network", "ops", "random"],
    ),
    room(
        "train",
        "training: loop, sampler, optimiser, evaluation, probes, checkpoints",
        &[
            "class_balance",
            "config",
            "data",
            "model",
            "network",
            "ops",
            "random",
            "run",
            "text",
            "threads",
        ],
    ),
    // Rooms that derive statements about runs.
    room(
        "compare",
        "groups of runs set against each other, with paired statistics",
        &["config", "gradient", "network", "run", "text"],
    ),
    room(
        "findings",
        "what stands out in runs, in sentences",
        &[
            "class_balance",
            "compare",
            "config",
            "gradient",
            "network",
            "run",
            "text",
        ],
    ),
    room(
        "sweep",
        "one configuration, varied over a grid of fields and over seeds",
        &["config", "run", "text"],
    ),
    room(
        "slurm",
        "sweeps as jobs of Slurm: options, scripts, lists of runs, commands",
        &["config", "run", "sweep", "text"],
    ),
    room(
        "remote",
        "runs on other machines: addresses, ssh, copies",
        &["files", "run", "text"],
    ),
    // Figures.
    room(
        "figure/look",
        "what is looked at: view, kind, pick, subject, clock",
        &["config", "gradient", "network", "run", "text"],
    ),
    room(
        "figure/kit",
        "how anything is plotted, whatever the numbers are: chart, square, table, palette",
        &["figure/look", "text"],
    ),
    room(
        "figure/facts",
        "the numbers of the figures",
        &[
            "compare",
            "figure/kit/memo",
            "figure/look",
            "gradient",
            "network",
            "random",
            "run",
        ],
    ),
    room(
        "figure/parts",
        "pieces that several figures share: bars, lanes, selectors",
        &[
            "figure/facts",
            "figure/kit",
            "figure/look",
            "gradient",
            "network",
            "run",
        ],
    ),
    room(
        "figure/overview",
        "the figures of “Overview”, one a file",
        FIGURES,
    ),
    room(
        "figure/conflicts",
        "the figures of “Conflicts”, one a file",
        FIGURES,
    ),
    room(
        "figure/one_class",
        "the figures of “One class”, one a file",
        FIGURES,
    ),
    room(
        "figure/mistakes",
        "the figures of “Mistakes”, one a file",
        FIGURES,
    ),
    room(
        "figure/gates",
        "the figures of “Gates”, one a file",
        FIGURES,
    ),
    room(
        "figure/groups",
        "the figures of “Compare”, one a file",
        FIGURES,
    ),
    room(
        "figure/registry",
        "the one list of figures",
        &[
            "figure/conflicts",
            "figure/facts",
            "figure/gates",
            "figure/groups",
            "figure/kit",
            "figure/look",
            "figure/mistakes",
            "figure/one_class",
            "figure/overview",
            "figure/parts",
            "run",
        ],
    ),
    room(
        "figure/export",
        "a figure or a page as a file: PNG, SVG, PDF, CSV, JSON",
        &[
            "figure/facts",
            "figure/kit",
            "figure/look",
            "figure/parts",
            "figure/registry",
            "network",
            "run",
        ],
    ),
    room("figure", "the face of the figures: hands names on", &[]),
    room(
        "tensorboard",
        "a run as an event file of TensorBoard",
        &["gradient", "network", "run", "text"],
    ),
    // The two front ends.
    room(
        "cli",
        "the command line",
        &[
            "compare",
            "config",
            "data",
            "figure",
            "findings",
            "network",
            "remote",
            "run",
            "signals",
            "slurm",
            "sweep",
            "tensorboard",
            "text",
            "train",
        ],
    ),
    room(
        "ui/state",
        "what the window knows and shows, without drawing and without threads",
        &[
            "compare", "config", "data", "figure", "findings", "network", "run", "samples", "text",
            "train",
        ],
    ),
    room("ui/widgets", "small controls", &["text"]),
    room("ui/frame_times", "how long frames take", &[]),
    room(
        "ui/work",
        "threads, channels, dialogs and the disk",
        &[
            "compare", "config", "data", "figure", "findings", "network", "remote", "run",
            "samples", "sweep", "threads", "train", "ui/state",
        ],
    ),
    room("ui/panels", "what stands around the page", WINDOW),
    room("ui/pages", "the pages, one a file", WINDOW_PAGES),
    room(
        "ui/overlays",
        "what lies over the page: dialogs, commands, notices",
        WINDOW,
    ),
    room(
        "ui/app",
        "acts: takes actions and replies, and changes the state",
        &[
            "config",
            "figure",
            "findings",
            "remote",
            "run",
            "train",
            "ui/overlays",
            "ui/pages",
            "ui/panels",
            "ui/state",
            "ui/work",
        ],
    ),
    room(
        "ui/window",
        "the window of the system",
        &[
            "figure",
            "run",
            "signals",
            "text",
            "ui/app",
            "ui/frame_times",
            "ui/state",
        ],
    ),
    room("ui", "the face of the window: hands names on", &[]),
    room(
        "main",
        "parses arguments, then opens the window or runs a command",
        &["cli", "threads", "ui"],
    ),
];

/// Places that a page of figures may import; another page is never among them.
const FIGURES: &[&str] = &[
    "class_balance",
    "compare",
    "figure/facts",
    "figure/kit",
    "figure/look",
    "figure/parts",
    "gradient",
    "network",
    "run",
    "text",
];

const WINDOW: &[&str] = &[
    "config",
    "data",
    "figure",
    "network",
    "run",
    "text",
    "ui/state",
    "ui/widgets",
];

const WINDOW_PAGES: &[&str] = &[
    "compare",
    "data",
    "figure",
    "findings",
    "run",
    "samples",
    "text",
    "ui/panels",
    "ui/state",
    "ui/widgets",
];

/// A path into another crate that only some rooms may name.
pub(super) struct Kept {
    /// The path, such as `std::thread`. With `*` at its end, it means every crate whose name begins so.
    pub(super) path: &'static str,
    /// The part of the crate to which the rule applies; empty for the whole crate.
    pub(super) within: &'static str,
    /// The rooms of that part that may name the path.
    pub(super) to: &'static [&'static str],
    pub(super) reason: &'static str,
}

const fn kept(
    path: &'static str,
    within: &'static str,
    to: &'static [&'static str],
    reason: &'static str,
) -> Kept {
    Kept {
        path,
        within,
        to,
        reason,
    }
}

/// The paths into other crates that are restricted to some rooms.
pub(super) const KEPT: &[Kept] = &[
    kept(
        "candle_*",
        "",
        &["data", "model", "ops", "train"],
        "tensors stay where numbers are computed",
    ),
    kept(
        "egui*",
        "",
        &["figure", "ui", "main"],
        "drawing stays in figures and the window",
    ),
    kept(
        "egui::Ui",
        "figure",
        &DRAWS,
        "what is looked at, and the numbers, are known without drawing",
    ),
    kept(
        "egui::Ui",
        "ui",
        &[
            "ui/widgets",
            "ui/panels",
            "ui/pages",
            "ui/overlays",
            "ui/app",
            "ui/window",
            "ui/frame_times",
        ],
        "the state and the work are known without drawing",
    ),
    kept(
        "eframe",
        "",
        &["ui", "main"],
        "figures are drawn without a window, too",
    ),
    kept(
        "std::thread",
        "ui",
        &["ui/work"],
        "nothing else in the window starts a thread or waits for one",
    ),
    kept(
        "crossbeam_channel",
        "ui",
        &["ui/work"],
        "nothing else in the window waits for a thread",
    ),
    kept("rfd", "", &["ui/work"], "dialogs of the system block"),
    kept("trash", "", &["ui/work"], "the system's trash blocks"),
];

const DRAWS: [&str; 10] = [
    "figure/kit",
    "figure/parts",
    "figure/overview",
    "figure/conflicts",
    "figure/one_class",
    "figure/mistakes",
    "figure/gates",
    "figure/groups",
    "figure/registry",
    "figure/export",
];
