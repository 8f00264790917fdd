//! Settings are read by name in one folder, which makes types of them. Everybody else asks the
//! types: a name that is misspelt must not compile.
//!
//! What reads a value as a number or a flag is private to that folder. This looks for what is left:
//! calls that take any name, because clients and files name settings, with a name of the program's
//! own.

use engine::config::SETTINGS;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Item, ItemMod, Lit};

use super::wildcards::{is_for_tests, product_files};
use crate::command::root;

/// Where settings are resolved.
const RESOLVED_IN: &str = "core/engine/src/config";

/// Methods of `Settings` that take any name.
const TAKE_A_NAME: &[&str] = &["is_said", "row", "set", "value"];

#[test]
fn settings_are_read_by_name_in_one_folder() {
    let root = root().unwrap();
    let mut failures = Vec::new();
    for (path, file) in product_files(root) {
        let path = path.strip_prefix(root).unwrap();
        if path.starts_with(RESOLVED_IN) {
            continue;
        }
        let found = Named::in_file(&file).into_iter();
        failures.extend(found.map(|(line, name)| format!("{}:{line}: {name}", path.display())));
    }
    assert!(
        failures.is_empty(),
        "take the type that {RESOLVED_IN} makes of the setting: {failures:#?}"
    );
}

#[test]
fn a_setting_that_is_named_is_found() {
    let found = |body: &str| {
        let file = syn::parse_file(&format!("fn f() {{ {body} }}")).unwrap();
        !Named::in_file(&file).is_empty()
    };
    assert!(found("settings.value(\"appendonly\")"));
    assert!(found("x.settings.set(\"Slave-Priority\", word)?;"));
    assert!(!found("settings.value(name)"));
    assert!(!found("settings.value(\"no setting\")"));
    assert!(!found("sheet.line(\"appendonly\")"));
}

/// Gathers the calls that name a setting.
#[derive(Default)]
struct Named(Vec<(usize, String)>);

impl Named {
    fn in_file(file: &syn::File) -> Vec<(usize, String)> {
        let mut named = Named::default();
        named.visit_file(file);
        named.0
    }
}

impl<'ast> Visit<'ast> for Named {
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

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let takes_a_name = TAKE_A_NAME.iter().any(|method| call.method == method);
        if takes_a_name
            && let Some(Expr::Lit(literal)) = call.args.first()
            && let Lit::Str(name) = &literal.lit
            && SETTINGS.iter().any(|row| row.is_called(&name.value()))
        {
            self.0.push((name.span().start().line, name.value()));
        }
        visit::visit_expr_method_call(self, call);
    }
}
