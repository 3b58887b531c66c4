//! The module tree of a crate, read from the text of its files: which modules there are, which names each defines and
//! brings into scope, and which modules exist for tests alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Item, Meta, Token, UseTree, Visibility};

/// The name by which the binary refers to the library.
const LIBRARY: &str = "crosscurrent";

/// The text of each file, by its path below `src` with `/` between names.
pub(super) type Sources = BTreeMap<String, String>;

/// The library and, where there is one, the binary beside it.
#[derive(Default)]
pub(super) struct Crate {
    pub(super) files: Vec<File>,
    pub(super) modules: Vec<Module>,
}

/// A file of the source tree that a `mod` line reaches.
pub(super) struct File {
    /// Path below `src`, as in `figure/kit/mod.rs`.
    pub(super) path: String,
    /// Place in the module tree, as in `figure/kit`; `lib` and `main` for the roots.
    pub(super) place: String,
    pub(super) text: String,
    /// Whether the file is compiled for tests alone.
    pub(super) is_test: bool,
    /// The module that the file is.
    pub(super) module: usize,
}

/// A module: a file, or a `mod name { … }` inside of one.
pub(super) struct Module {
    /// Index of the file that holds the module.
    pub(super) file: usize,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    pub(super) scope: Scope,
    pub(super) items: Vec<Item>,
}

/// The names that the items of a module or a block bring into scope.
#[derive(Default)]
pub(super) struct Scope {
    /// Names that are defined here.
    pub(super) defined: BTreeMap<String, Space>,
    pub(super) uses: Vec<Use>,
}

/// The name spaces of Rust that hold a name: a function and a crate may have the same name.
#[derive(Clone, Copy, Default)]
pub(super) struct Space {
    /// Whether the name is a type, a trait or a module: only these can precede `::`.
    pub(super) is_type: bool,
}

/// One leaf of a `use` tree.
#[derive(Clone)]
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// Name in scope; absent for a glob.
    pub(super) name: Option<String>,
    /// Whether the path starts with `::`, so that it names another crate.
    pub(super) is_foreign: bool,
    /// Whether the name is re-exported: `pub use`, `pub(crate) use`.
    pub(super) is_reexport: bool,
    pub(super) line: usize,
}

/// Reads the text of all files below `root`.
pub(super) fn read(root: &Path) -> Result<Sources> {
    let mut sources = Sources::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root)?.to_string_lossy();
                sources.insert(name.replace('\\', "/"), fs::read_to_string(&path)?);
            }
        }
    }
    Ok(sources)
}

impl Crate {
    /// Follows the `mod` lines from `lib.rs` and `main.rs`.
    pub(super) fn parse(sources: &Sources) -> Result<Self> {
        let mut all = Self::default();
        for root in ["lib", "main"] {
            let path = format!("{root}.rs");
            if sources.contains_key(&path) {
                all.add_file(sources, path, root, None, false)?;
            }
        }
        if all.modules.is_empty() {
            bail!("no lib.rs and no main.rs");
        }
        Ok(all)
    }

    /// The module that the first name of a path means by the rules of the language, independently of the names in
    /// scope.
    pub(super) fn fixed(&self, from: usize, name: &str) -> Option<usize> {
        match name {
            "crate" => Some(self.root(from)),
            "self" => Some(from),
            "super" => self.modules[from].parent,
            LIBRARY => Some(0),
            _ => None,
        }
    }

    /// Whether module `inner` is module `outer` or lies below it.
    pub(super) fn is_below(&self, inner: usize, outer: usize) -> bool {
        inner == outer
            || self.modules[inner]
                .parent
                .is_some_and(|parent| self.is_below(parent, outer))
    }

    fn root(&self, from: usize) -> usize {
        self.modules[from]
            .parent
            .map_or(from, |parent| self.root(parent))
    }

    fn add_file(
        &mut self,
        sources: &Sources,
        path: String,
        place: &str,
        parent: Option<usize>,
        is_test: bool,
    ) -> Result<usize> {
        let text = sources.get(&path).with_context(|| path.clone())?.clone();
        let parsed = syn::parse_file(&text).with_context(|| path.clone())?;
        let is_test = is_test || for_tests(&parsed.attrs);
        let folder = folder_of_children(&path);
        self.files.push(File {
            path,
            place: place.to_owned(),
            text,
            is_test,
            module: self.modules.len(),
        });
        let below = if parent.is_none() {
            String::new()
        } else {
            format!("{place}/")
        };
        let context = Context {
            sources,
            file: self.files.len() - 1,
            folder,
            below,
            is_test,
        };
        self.add_module(parsed.items, parent, &context)
    }

    fn add_module(
        &mut self,
        items: Vec<Item>,
        parent: Option<usize>,
        context: &Context<'_>,
    ) -> Result<usize> {
        let id = self.modules.len();
        self.modules.push(Module {
            file: context.file,
            parent,
            children: BTreeMap::new(),
            scope: Scope::of(&items),
            items: Vec::new(),
        });
        let mut kept = Vec::new();
        for item in items {
            let Item::Mod(module) = item else {
                kept.push(item);
                continue;
            };
            let is_test = context.is_test || for_tests(&module.attrs);
            let name = module.ident.to_string();
            let child = match module.content {
                Some((_, items)) if !is_test => {
                    self.add_module(items, Some(id), &context.inside(&name))?
                }
                // The items inside are for tests, and so are the files that they declare.
                Some((_, items)) => {
                    self.add_tests(&items, id, &context.inside(&name))?;
                    continue;
                }
                None => {
                    let path = context.path_of(&name, &module.attrs)?;
                    let place = format!("{}{name}", context.below);
                    self.add_file(context.sources, path, &place, Some(id), is_test)?
                }
            };
            if !is_test {
                self.modules[id].children.insert(name, child);
            }
        }
        self.modules[id].items = kept;
        Ok(id)
    }

    /// Adds the files that a test module inside of a file declares.
    fn add_tests(&mut self, items: &[Item], parent: usize, context: &Context<'_>) -> Result<()> {
        for item in items {
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                if let Some((_, items)) = &module.content {
                    self.add_tests(items, parent, &context.inside(&name))?;
                } else {
                    let path = context.path_of(&name, &module.attrs)?;
                    let place = format!("{}{name}", context.below);
                    self.add_file(context.sources, path, &place, Some(parent), true)?;
                }
            }
        }
        Ok(())
    }
}

/// The place in which the children of a module are looked for.
#[derive(Clone)]
struct Context<'a> {
    sources: &'a Sources,
    file: usize,
    /// Folder of the children's files, empty or with `/` at its end.
    folder: String,
    /// The path in the module tree that precedes the children's names.
    below: String,
    is_test: bool,
}

impl Context<'_> {
    fn inside(&self, name: &str) -> Self {
        Self {
            folder: format!("{}{name}/", self.folder),
            below: format!("{}{name}/", self.below),
            ..self.clone()
        }
    }

    fn path_of(&self, name: &str, attributes: &[Attribute]) -> Result<String> {
        if attributes.iter().any(|a| a.path().is_ident("path")) {
            bail!("`mod {name}` has a #[path]: files lie where their modules are");
        }
        [".rs", "/mod.rs"]
            .iter()
            .map(|ending| format!("{}{name}{ending}", self.folder))
            .find(|path| self.sources.contains_key(path))
            .with_context(|| format!("no file for `mod {name}` in src/{}", self.folder))
    }
}

/// The folder in which the children of a file lie.
fn folder_of_children(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder,
        _ => format!("{folder}{}/", name.trim_end_matches(".rs")),
    }
}

impl Scope {
    /// The names that `items` bring into scope, except modules and items for tests.
    pub(super) fn of<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut scope = Self::default();
        for item in items {
            if !for_tests(attributes(item)) {
                scope.add(item);
            }
        }
        scope
    }

    fn add(&mut self, item: &Item) {
        let (ident, is_type) = match item {
            Item::Use(item) => {
                let mut base = Use {
                    path: Vec::new(),
                    name: None,
                    is_foreign: item.leading_colon.is_some(),
                    is_reexport: hands_on(&item.vis),
                    line: 0,
                };
                flatten(&item.tree, &mut base, &mut self.uses);
                return;
            }
            Item::ExternCrate(item) => {
                let name = item
                    .rename
                    .as_ref()
                    .map_or(&item.ident, |(_, renamed)| renamed);
                self.uses.push(Use {
                    path: vec![item.ident.to_string()],
                    name: Some(name.to_string()),
                    is_foreign: true,
                    is_reexport: hands_on(&item.vis),
                    line: item.ident.span().start().line,
                });
                return;
            }
            Item::Struct(item) => (&item.ident, true),
            Item::Enum(item) => (&item.ident, true),
            Item::Union(item) => (&item.ident, true),
            Item::Trait(item) => (&item.ident, true),
            Item::TraitAlias(item) => (&item.ident, true),
            Item::Type(item) => (&item.ident, true),
            Item::Const(item) => (&item.ident, false),
            Item::Static(item) => (&item.ident, false),
            Item::Fn(item) => (&item.sig.ident, false),
            Item::Macro(item) => match &item.ident {
                Some(ident) => (ident, false),
                None => return,
            },
            _ => return,
        };
        let space = self.defined.entry(ident.to_string()).or_default();
        space.is_type |= is_type;
    }
}

fn hands_on(visibility: &Visibility) -> bool {
    match visibility {
        Visibility::Public(_) => true,
        Visibility::Restricted(restricted) => !restricted.path.is_ident("self"),
        Visibility::Inherited => false,
    }
}

/// Splits a `use` tree into its leaves.
fn flatten(tree: &UseTree, base: &mut Use, leaves: &mut Vec<Use>) {
    let leaf = |base: &Use, ident: &syn::Ident, name: Option<&syn::Ident>| {
        let mut leaf = base.clone();
        if ident != "self" || leaf.path.is_empty() {
            leaf.path.push(ident.to_string());
        }
        leaf.name = match name {
            Some(name) => Some(name.to_string()),
            None => leaf.path.last().cloned(),
        };
        leaf.line = ident.span().start().line;
        leaf
    };
    match tree {
        UseTree::Path(tree) => {
            base.path.push(tree.ident.to_string());
            flatten(&tree.tree, base, leaves);
            base.path.pop();
        }
        UseTree::Name(tree) => leaves.push(leaf(base, &tree.ident, None)),
        UseTree::Rename(tree) => leaves.push(leaf(base, &tree.ident, Some(&tree.rename))),
        UseTree::Glob(tree) => leaves.push(Use {
            line: tree.span().start().line,
            ..base.clone()
        }),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, base, leaves);
            }
        }
    }
}

/// Whether code with these attributes is compiled for tests alone.
pub(super) fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<Meta>()
                    .is_ok_and(|meta| needs_test(&meta))
    })
}

/// Whether a condition of `cfg` is true only in tests.
fn needs_test(meta: &Meta) -> bool {
    let inner = || match meta {
        Meta::List(list) => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .unwrap_or_default(),
        _ => Punctuated::new(),
    };
    let path = meta.path();
    if path.is_ident("all") {
        inner().iter().any(needs_test)
    } else if path.is_ident("any") {
        let inner = inner();
        !inner.is_empty() && inner.iter().all(needs_test)
    } else {
        path.is_ident("test")
    }
}

/// The attributes of an item.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
