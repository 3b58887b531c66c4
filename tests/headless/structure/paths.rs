//! The names that each file uses from other files: every path in a crate is followed to the file that defines the item
//! which the path names.
//!
//! A path through a `pub use` leads to the file that defines the item, not to the face (the `mod.rs`) that re-exports
//! it. The arrows are therefore those that a reader has to follow, and an item cannot be smuggled past a rule by a
//! re-export. A method call names no file and makes no arrow.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Ident, Item, Macro, PatIdent, Path, Stmt, Visibility};

use super::modules::{Crate, Scope, Use, attributes, for_tests};

/// Most re-exports that are followed in a row before a path is given up; more would be a circle.
const MOST_STEPS: usize = 12;

/// An arrow: one file names an item of another file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    /// Index of the file in which the path is written.
    pub(super) from: usize,
    /// Index of the file that defines the named item.
    pub(super) to: usize,
    pub(super) line: usize,
    /// The path as written.
    pub(super) path: String,
    /// Whether only a module on the way to the item is named: `use crate::run;`, or `crate::figure` in
    /// `crate::figure::View`, which `figure/look/view.rs` defines.
    pub(super) is_passed: bool,
}

/// A path from a file into another crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Foreign {
    /// Index of the file.
    pub(super) from: usize,
    pub(super) line: usize,
    /// The path, beginning with the name of the crate.
    pub(super) path: Vec<String>,
}

/// The names that the files of a crate use: arrows within the crate, and paths into other crates.
#[derive(Default)]
pub(super) struct Named {
    pub(super) arrows: BTreeSet<Arrow>,
    pub(super) foreign: BTreeSet<Foreign>,
}

/// Reads every path of every file that is not for tests alone.
pub(super) fn named(all: &Crate) -> Named {
    let mut named = Named::default();
    for (id, module) in all.modules.iter().enumerate() {
        if all.files[module.file].is_test {
            continue;
        }
        let mut walk = Walk {
            all,
            module: id,
            blocks: Vec::new(),
            bound: Vec::new(),
            named: &mut named,
        };
        for leaf in &module.scope.uses {
            walk.import(leaf);
        }
        for item in &module.items {
            if !matches!(item, Item::Use(_)) {
                walk.visit_item(item);
            }
        }
    }
    named
}

/// The target of a path.
#[derive(Clone, Debug, PartialEq)]
enum Target {
    /// A module.
    Module(usize),
    /// An item that this module defines, or something inside that item.
    Item(usize),
    /// An item of another crate.
    Foreign(Vec<String>),
}

/// The kind of target that is looked for under a name.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    /// A type, a trait or a module, which can precede `::`.
    Type,
    Anything,
}

struct Resolver<'a> {
    all: &'a Crate,
    blocks: &'a [Scope],
}

impl Resolver<'_> {
    /// The targets of a path that is written in the module `from`; there are several where a name is in several name
    /// spaces. The modules that the path names on its way are added to `passed`.
    fn resolve(
        &self,
        from: usize,
        path: &[String],
        is_foreign: bool,
        passed: &mut Vec<usize>,
        steps: usize,
    ) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        if is_foreign {
            return vec![Target::Foreign(path.to_vec())];
        }
        let wanted = |rest: &[String]| {
            if rest.is_empty() {
                Wanted::Anything
            } else {
                Wanted::Type
            }
        };
        let mut targets = match self.all.fixed(from, first) {
            Some(module) => vec![Target::Module(module)],
            None => self.in_scope(from, first, wanted(rest), steps),
        };
        if targets.is_empty() {
            targets = vec![Target::Foreign(vec![first.clone()])];
        }
        for (i, name) in rest.iter().enumerate() {
            let wanted = wanted(&rest[i + 1..]);
            targets = targets
                .into_iter()
                .flat_map(|target| match target {
                    Target::Module(module) => {
                        passed.push(module);
                        self.step(module, name, wanted, steps)
                    }
                    Target::Item(module) => vec![Target::Item(module)],
                    Target::Foreign(mut path) => {
                        path.push(name.clone());
                        vec![Target::Foreign(path)]
                    }
                })
                .collect();
        }
        targets
    }

    /// The targets of one name after a module in a path.
    fn step(&self, module: usize, name: &str, wanted: Wanted, steps: usize) -> Vec<Target> {
        match name {
            "self" => return vec![Target::Module(module)],
            "super" => {
                let parent = self.all.modules[module].parent;
                return parent.map(Target::Module).into_iter().collect();
            }
            _ => {}
        }
        let found = self.in_module(module, name, wanted, steps);
        if found.is_empty() {
            // The name is defined by a macro that the module calls.
            vec![Target::Item(module)]
        } else {
            found
        }
    }

    /// The targets of the first name of a path: blocks are searched from the inside out, then the module.
    fn in_scope(&self, module: usize, name: &str, wanted: Wanted, steps: usize) -> Vec<Target> {
        for scope in self.blocks.iter().rev() {
            let found = self.in_this(module, scope, name, wanted, steps);
            if !found.is_empty() {
                return found;
            }
        }
        self.in_module(module, name, wanted, steps)
    }

    fn in_module(&self, module: usize, name: &str, wanted: Wanted, steps: usize) -> Vec<Target> {
        let here = &self.all.modules[module];
        let mut found = self.in_this(module, &here.scope, name, wanted, steps);
        if let Some(child) = here.children.get(name) {
            found.push(Target::Module(*child));
        }
        if !found.is_empty() || steps >= MOST_STEPS {
            return found;
        }
        let globs = here.scope.uses.iter().filter(|leaf| leaf.name.is_none());
        for glob in globs {
            for target in self.follow(module, glob, steps) {
                if let Target::Module(inside) = target
                    && inside != module
                {
                    found.extend(self.in_module(inside, name, wanted, steps + 1));
                }
            }
        }
        found
    }

    fn in_this(
        &self,
        module: usize,
        scope: &Scope,
        name: &str,
        wanted: Wanted,
        steps: usize,
    ) -> Vec<Target> {
        let fits = |is_type: bool| wanted == Wanted::Anything || is_type;
        let mut found = Vec::new();
        if scope
            .defined
            .get(name)
            .is_some_and(|space| fits(space.is_type))
        {
            found.push(Target::Item(module));
        }
        if steps < MOST_STEPS {
            let named = |leaf: &&Use| leaf.name.as_deref() == Some(name);
            for leaf in scope.uses.iter().filter(named) {
                // The lookup of `use run;` beside a crate `run` must not lead back to the same `use`.
                if leaf.path.first().is_some_and(|first| first == name) && !leaf.is_foreign {
                    found.extend(self.outward(module, leaf, steps));
                } else {
                    found.extend(self.follow(module, leaf, steps));
                }
            }
        }
        found
    }

    /// The targets of a `use`.
    fn follow(&self, module: usize, leaf: &Use, steps: usize) -> Vec<Target> {
        let outer = Resolver {
            all: self.all,
            blocks: &[],
        };
        outer.resolve(
            module,
            &leaf.path,
            leaf.is_foreign,
            &mut Vec::new(),
            steps + 1,
        )
    }

    /// The targets of a `use` whose first name is the name that it brings into scope: `use egui;`, `use chart::chart;`.
    fn outward(&self, module: usize, leaf: &Use, steps: usize) -> Vec<Target> {
        match self.all.modules[module].children.get(&leaf.path[0]) {
            Some(_) if leaf.path.len() == 1 => Vec::new(),
            Some(child) => {
                leaf.path[1..]
                    .iter()
                    .fold(vec![Target::Module(*child)], |targets, name| {
                        let inside = targets.into_iter();
                        let next = inside.flat_map(|target| match target {
                            Target::Module(inside) => {
                                self.step(inside, name, Wanted::Anything, steps + 1)
                            }
                            other => vec![other],
                        });
                        next.collect()
                    })
            }
            None => vec![Target::Foreign(leaf.path.clone())],
        }
    }
}

struct Walk<'a> {
    all: &'a Crate,
    module: usize,
    /// The scopes of the blocks around the current place, from the outside in.
    blocks: Vec<Scope>,
    /// Names of the variables and parameters of the functions around the current place.
    bound: Vec<BTreeSet<String>>,
    named: &'a mut Named,
}

impl Walk<'_> {
    fn resolve(&self, path: &[String], is_foreign: bool) -> (Vec<Target>, Vec<usize>) {
        let resolver = Resolver {
            all: self.all,
            blocks: &self.blocks,
        };
        let mut passed = Vec::new();
        let targets = resolver.resolve(self.module, path, is_foreign, &mut passed, 0);
        (targets, passed)
    }

    /// Adds the arrows of a leaf of a `use`. The re-export by a file of an item that is defined below it is no arrow: a
    /// face has to name the items behind it, and these need not know the face. Where the code of the file uses the name
    /// as well, that use is an arrow.
    fn import(&mut self, leaf: &Use) {
        let own_name = leaf.path.len() == 1 && leaf.name.as_ref() == leaf.path.first();
        let (mut targets, mut passed) =
            if own_name && self.all.fixed(self.module, &leaf.path[0]).is_none() {
                (vec![Target::Foreign(leaf.path.clone())], Vec::new())
            } else {
                self.resolve(&leaf.path, leaf.is_foreign)
            };
        if leaf.is_reexport {
            let face = self.all.files[self.all.modules[self.module].file].module;
            targets.retain(|target| match target {
                Target::Module(module) | Target::Item(module) => !self.all.is_below(*module, face),
                Target::Foreign(_) => true,
            });
            if targets.is_empty() {
                passed.clear();
            }
        }
        let is_glob = leaf.name.is_none();
        let mut written = leaf.path.clone();
        if is_glob {
            written.push("*".to_owned());
        }
        for target in &mut targets {
            match target {
                Target::Module(module) if is_glob => *target = Target::Item(*module),
                Target::Foreign(path) if is_glob => path.push("*".to_owned()),
                _ => {}
            }
        }
        self.add(&targets, &passed, leaf.line, &written);
    }

    /// Adds the arrows of a path in code.
    fn mention(&mut self, path: &[String], is_foreign: bool, line: usize) {
        if let [name] = path {
            let is_bound = self.bound.iter().any(|names| names.contains(name));
            if is_bound || is_foreign {
                return;
            }
            // A single name is a variable or an item in scope. A module named alone is ignored, since no expression or
            // type is a module.
            let (mut targets, _) = self.resolve(path, false);
            targets.retain(|target| match target {
                Target::Item(_) => true,
                Target::Foreign(path) => path.len() > 1,
                Target::Module(_) => false,
            });
            self.add(&targets, &[], line, path);
        } else {
            let (targets, passed) = self.resolve(path, is_foreign);
            self.add(&targets, &passed, line, path);
        }
    }

    fn add(&mut self, targets: &[Target], passed: &[usize], line: usize, written: &[String]) {
        let from = self.all.modules[self.module].file;
        let passed = passed.iter().map(|module| (*module, true));
        let reached = targets.iter().filter_map(|target| match target {
            Target::Module(module) => Some((*module, true)),
            Target::Item(module) => Some((*module, false)),
            Target::Foreign(_) => None,
        });
        for (module, is_passed) in passed.chain(reached) {
            let to = self.all.modules[module].file;
            if to != from {
                self.named.arrows.insert(Arrow {
                    from,
                    to,
                    line,
                    path: written.join("::"),
                    is_passed,
                });
            }
        }
        for target in targets {
            if let Target::Foreign(path) = target {
                self.named.foreign.insert(Foreign {
                    from,
                    line,
                    path: path.clone(),
                });
            }
        }
    }

    /// Adds the paths among the tokens of a macro or an attribute.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if let TokenTree::Group(group) = &tokens[at] {
                self.scan(group.stream());
                at += 1;
                continue;
            }
            let TokenTree::Ident(first) = &tokens[at] else {
                at += 1;
                continue;
            };
            let start = at;
            let mut path = vec![first.to_string()];
            at += 1;
            while is_path_separator(&tokens, at) {
                match tokens.get(at + 2) {
                    Some(TokenTree::Ident(next)) => {
                        path.push(next.to_string());
                        at += 3;
                    }
                    // A turbofish or a group of a `use` tree.
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        self.scan_tree(&path, group.stream());
                        at += 3;
                        path.clear();
                        break;
                    }
                    _ => break,
                }
            }
            let before = |back: usize| start.checked_sub(back).and_then(|i| tokens.get(i));
            let is_member = is_punct(before(1), '.') && !is_punct(before(2), '.');
            let is_field = path.len() == 1 && is_punct(tokens.get(at), ':');
            let is_foreign = start >= 2 && is_path_separator(&tokens, start - 2);
            if !path.is_empty() && !is_member && !is_field {
                self.mention(&path, is_foreign, first.span().start().line);
            }
        }
    }

    /// Adds the leaves of a `use` tree among tokens.
    fn scan_tree(&mut self, before: &[String], tokens: TokenStream) {
        let mut path = before.to_vec();
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    path.push(name.to_string());
                    self.mention(&path, false, name.span().start().line);
                }
                TokenTree::Group(group) => self.scan_tree(&path, group.stream()),
                TokenTree::Punct(punct) if punct.as_char() == ',' => path = before.to_vec(),
                _ => {}
            }
        }
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Whether the tokens at index `at` are `::`.
fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.bound
            .push(variables(|found| found.visit_item_fn(function)));
        visit::visit_item_fn(self, function);
        self.bound.pop();
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if for_tests(&function.attrs) {
            return;
        }
        self.bound
            .push(variables(|found| found.visit_impl_item_fn(function)));
        visit::visit_impl_item_fn(self, function);
        self.bound.pop();
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.bound
            .push(variables(|found| found.visit_trait_item_fn(function)));
        visit::visit_trait_item_fn(self, function);
        self.bound.pop();
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.bound
            .push(variables(|found| found.visit_expr_closure(closure)));
        visit::visit_expr_closure(self, closure);
        self.bound.pop();
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        });
        let scope = Scope::of(items);
        for leaf in &scope.uses {
            self.import(leaf);
        }
        self.blocks.push(scope);
        for statement in &block.stmts {
            if !matches!(statement, Stmt::Item(Item::Use(_))) {
                self.visit_stmt(statement);
            }
        }
        self.blocks.pop();
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let attributes: &[Attribute] = match statement {
            Stmt::Local(local) => &local.attrs,
            Stmt::Macro(call) => &call.attrs,
            Stmt::Expr(syn::Expr::Block(block), _) => &block.attrs,
            Stmt::Expr(syn::Expr::If(block), _) => &block.attrs,
            Stmt::Expr(syn::Expr::Call(call), _) => &call.attrs,
            Stmt::Expr(syn::Expr::MethodCall(call), _) => &call.attrs,
            _ => &[],
        };
        if !for_tests(attributes) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !for_tests(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if !for_tests(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !for_tests(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        if !for_tests(&item.attrs) {
            visit::visit_impl_item_const(self, item);
        }
    }

    /// A visibility such as `pub(in crate::figure)` says who may see an item, and imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let says_nothing = ["doc", "cfg", "expect", "allow", "warn", "deny", "must_use"];
        if says_nothing
            .iter()
            .any(|name| attribute.path().is_ident(name))
        {
            return;
        }
        if let syn::Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone());
            for path in paths_in_strings(list.tokens.clone()) {
                self.mention(&path, false, line_of(&attribute.path().segments[0].ident));
            }
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.scan(call.tokens.clone());
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.mention(&names, path.leading_colon.is_some(), line_of(&first.ident));
        }
        visit::visit_path(self, path);
    }
}

fn line_of(ident: &Ident) -> usize {
    ident.span().start().line
}

/// The paths that attributes hold as text: `#[serde(with = "crate::run::hexadecimal")]`.
fn paths_in_strings(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(paths_in_strings(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(path) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'))
                    && let Ok(path) = syn::parse_str::<Path>(path)
                {
                    let names = path.segments.iter().map(|s| s.ident.to_string());
                    found.push(names.collect());
                }
            }
            _ => {}
        }
    }
    found
}

/// The names that patterns bind in the code that `visit` visits. They matter because a variable hides an item of the
/// same name.
fn variables(visit: impl FnOnce(&mut Variables)) -> BTreeSet<String> {
    let mut found = Variables(BTreeSet::new());
    visit(&mut found);
    found.0
}

struct Variables(BTreeSet<String>);

impl Visit<'_> for Variables {
    fn visit_pat_ident(&mut self, pattern: &PatIdent) {
        self.0.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}
