//! What is done for a command follows from its row, not from its name: a comparison with the name
//! of a command is a trait that the table does not know of.

use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprBinary, ExprMethodCall, Item, ItemMod, Lit};

use super::wildcards::{is_for_tests, product_files};
use crate::command::root;

/// Where names of commands are compared all the same, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "core/engine/src/recover/replay/unknown.rs",
        "it tells apart the few commands by which files of Redis name keys and databases",
    ),
    (
        "shell/journal/src/scan.rs",
        "the journal knows no table; these two frame what belongs together in files of Redis",
    ),
];

#[test]
fn names_of_commands_are_not_compared_outside_of_the_commands() {
    let root = root().unwrap();
    let mut failures = Vec::new();
    for (path, file) in product_files(root) {
        let path = path.strip_prefix(root).unwrap().display().to_string();
        let is_allowed = ALLOWED.iter().any(|(allowed, _)| *allowed == path);
        if path.starts_with("core/commands/") || is_allowed {
            continue;
        }
        let found = Compared::in_file(&file);
        if !found.is_empty() {
            failures.push(format!("{path}: {found:?}"));
        }
    }
    assert!(
        failures.is_empty(),
        "give the command's row a flag instead: {failures:#?}"
    );
}

#[test]
fn a_name_that_is_compared_is_found() {
    let found = |body: &str| {
        let file = syn::parse_file(&format!("fn f() {{ {body} }}")).unwrap();
        !Compared::in_file(&file).is_empty()
    };
    assert!(found("row.spec.name == \"exec\""));
    assert!(found("b\"EXEC\" != name"));
    assert!(found("name.eq_ignore_ascii_case(b\"exec\")"));
    assert!(!found("row.flags.has(Flags::RUNS_QUEUE)"));
    assert!(!found("name.eq_ignore_ascii_case(b\"no command\")"));
}

/// Gathers the names of commands that are compared, each with its line.
#[derive(Default)]
struct Compared(Vec<(usize, String)>);

impl Compared {
    fn in_file(file: &syn::File) -> Vec<(usize, String)> {
        let mut compared = Compared::default();
        compared.visit_file(file);
        compared.0
    }

    fn look_at(&mut self, expression: &Expr) {
        let Expr::Lit(literal) = expression else {
            return;
        };
        let text = match &literal.lit {
            Lit::Str(text) => text.value(),
            Lit::ByteStr(bytes) => String::from_utf8_lossy(&bytes.value()).into_owned(),
            _ => return,
        };
        if commands::all().any(|entry| text.eq_ignore_ascii_case(entry.spec.name)) {
            self.0.push((literal.lit.span().start().line, text));
        }
    }
}

impl<'ast> Visit<'ast> for Compared {
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

    fn visit_expr_binary(&mut self, compared: &'ast ExprBinary) {
        if matches!(compared.op, BinOp::Eq(_) | BinOp::Ne(_)) {
            self.look_at(&compared.left);
            self.look_at(&compared.right);
        }
        visit::visit_expr_binary(self, compared);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "eq_ignore_ascii_case" {
            call.args.iter().for_each(|argument| self.look_at(argument));
        }
        visit::visit_expr_method_call(self, call);
    }
}
