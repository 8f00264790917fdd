//! No `_ =>` over an enum of the house: a variant that comes must be told what it means at each
//! match.
//!
//! An enum is known by its name and its variants, wherever in the product it is declared. A match
//! is about one if a pattern names a variant of it, and swallows if another arm takes whatever is
//! left. Arms with a guard and patterns in which only a part is left open (`Some(_)`, `(Kind::A,
//! _)`) are no such arm.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Arm, Attribute, ExprMatch, Item, ItemEnum, ItemImpl, ItemMacro, ItemMod, Pat, Type};

use crate::command::root;

/// Files in which matches may swallow, how many do, and why.
const ALLOWED: &[(&str, usize, &str)] = &[];

/// The enums of the product, each with its variants.
type Enums = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_match_swallows_variants_of_an_enum_of_the_house() {
    let root = root().unwrap();
    let files = product_files(root);
    let mut enums = Enums::new();
    for (_, file) in &files {
        Declared(&mut enums).visit_file(file);
    }
    let mut failures = Vec::new();
    for (path, file) in &files {
        let mut found = Swallowing {
            enums: &enums,
            own: Vec::new(),
            lines: Vec::new(),
        };
        found.visit_file(file);
        let path = path.strip_prefix(root).unwrap().display().to_string();
        let allowed = ALLOWED.iter().find(|(allowed, ..)| *allowed == path);
        if found.lines.len() != allowed.map_or(0, |(_, count, _)| *count) {
            failures.push(format!("{path}: {:?}", found.lines));
        }
    }
    assert!(
        failures.is_empty(),
        "name the variants instead of `_`:\n{}",
        failures.join("\n")
    );
}

#[test]
fn what_swallows_is_found_and_what_does_not_is_not() {
    let found = |arms: &str| {
        let text = format!("enum Kind {{ A, B(u8) }} fn f() {{ match x {{ {arms} }} }}");
        let file = syn::parse_file(&text).unwrap();
        let mut enums = Enums::new();
        Declared(&mut enums).visit_file(&file);
        let mut found = Swallowing {
            enums: &enums,
            own: Vec::new(),
            lines: Vec::new(),
        };
        found.visit_file(&file);
        !found.lines.is_empty()
    };
    assert!(found("Kind::A => 1, _ => 2"));
    assert!(found("self::Kind::B(_) => 1, other => 2"));
    assert!(found("Some(Kind::A) => 1, _ => 2"));
    assert!(found("(Kind::A, 1) => 1, (_, _) => 2"));
    assert!(!found("Kind::A => 1, Kind::B(_) => 2"));
    assert!(!found(
        "Kind::A => 1, other if other.b() => 2, Kind::B(_) => 3"
    ));
    assert!(!found("Ordering::Less => 1, _ => 2"));
    assert!(!found("Some(Kind::A) => 1, Some(Kind::B(_)) | None => 2"));
}

/// What is built into the product: no tests, examples or benches.
pub(super) fn product_files(root: &Path) -> Vec<(PathBuf, syn::File)> {
    let mut files = Vec::new();
    for part in ["core", "shell"] {
        for entry in fs::read_dir(root.join(part)).unwrap() {
            read(&entry.unwrap().path().join("src"), &mut files);
        }
    }
    files
}

fn read(path: &Path, files: &mut Vec<(PathBuf, syn::File)>) {
    let name = path.file_stem().unwrap_or_default();
    if name == "tests" {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = fs::read_to_string(path).unwrap();
        files.push((path.to_owned(), syn::parse_file(&text).unwrap()));
    }
}

pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        attribute.path().is_ident("cfg") && list.is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// Gathers enums.
struct Declared<'e>(&'e mut Enums);

impl<'ast> Visit<'ast> for Declared<'_> {
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        let variants = item
            .variants
            .iter()
            .map(|variant| variant.ident.to_string());
        let known = self.0.entry(item.ident.to_string()).or_default();
        known.extend(variants);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if let Some((name, variants)) = enum_in_macro(item.mac.tokens.clone()) {
            self.0.entry(name).or_default().extend(variants);
        }
    }
}

/// The enum that a macro is given, and its variants, each with its content in parentheses.
pub(super) fn enum_in_macro(tokens: TokenStream) -> Option<(String, Vec<String>)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let at = tokens.iter().position(|token| is_ident(token, "enum"))?;
    let TokenTree::Ident(name) = tokens.get(at + 1)? else {
        return None;
    };
    let body = tokens[at..].iter().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    });
    let body: Vec<TokenTree> = body?.into_iter().collect();
    let variants = body.windows(2).filter_map(|pair| match pair {
        [TokenTree::Ident(variant), TokenTree::Group(content)]
            if content.delimiter() == Delimiter::Parenthesis =>
        {
            Some(variant.to_string())
        }
        _ => None,
    });
    Some((name.to_string(), variants.collect()))
}

fn is_ident(token: &TokenTree, text: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == text)
}

/// Gathers the lines of matches that swallow.
struct Swallowing<'e> {
    enums: &'e Enums,
    /// What `Self` means, innermost last.
    own: Vec<String>,
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Swallowing<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Fn(function) if is_for_tests(&function.attrs) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let name = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        self.own.push(name.unwrap_or_default());
        visit::visit_item_impl(self, item);
        self.own.pop();
    }

    fn visit_expr_match(&mut self, found: &'ast ExprMatch) {
        let is_ours = found.arms.iter().any(|arm| self.names_ours(&arm.pat));
        if is_ours && let Some(arm) = found.arms.iter().find(|arm| takes_the_rest(arm)) {
            let line = arm.fat_arrow_token.spans[0].start().line;
            self.lines.push(line);
        }
        visit::visit_expr_match(self, found);
    }
}

impl Swallowing<'_> {
    /// Whether a pattern names a variant of an enum of the product.
    fn names_ours(&self, pattern: &Pat) -> bool {
        let mut paths = Paths(Vec::new());
        paths.visit_pat(pattern);
        paths.0.iter().any(|path| {
            let [.., name, variant] = path.as_slice() else {
                return false;
            };
            let name = match name.as_str() {
                "Self" => self.own.last().unwrap_or(name),
                _ => name,
            };
            let variants = self.enums.get(name);
            variants.is_some_and(|variants| variants.contains(variant))
        })
    }
}

/// Gathers the paths in a pattern.
struct Paths(Vec<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        self.0.push(segments.collect());
    }

    // A guard says nothing of what the pattern is about.
    fn visit_expr(&mut self, _: &'ast syn::Expr) {}
}

fn takes_the_rest(arm: &Arm) -> bool {
    is_open(&arm.pat)
}

/// Whether a pattern takes everything. What begins with a capital is a constant or a variant.
fn is_open(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(binding) => {
            let name = binding.ident.to_string();
            binding.subpat.is_none() && name.starts_with(|c: char| c.is_ascii_lowercase())
        }
        Pat::Paren(inner) => is_open(&inner.pat),
        Pat::Reference(inner) => is_open(&inner.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(is_open),
        _ => false,
    }
}
