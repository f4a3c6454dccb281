//! Names that a source file uses, in its code and in the arguments of its macros.

use std::ops::Range;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta};

/// One name in one place, written as `a::b`, `::a::*`, `name!`, `.name()` or `#[name]`.
pub struct Use {
    pub line: usize,
    pub name: String,
    /// Whether it stands in an item under `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
}

/// All names in `tokens`, which `file` was parsed from.
pub fn uses(file: &syn::File, tokens: TokenStream) -> Vec<Use> {
    let mut tests = TestItems(Vec::new());
    tests.visit_file(file);
    let mut found = Vec::new();
    walk(tokens, "", &mut |span, name| {
        let at = span.byte_range().start;
        found.push(Use {
            line: span.start().line,
            name,
            in_test: tests.0.iter().any(|item| item.contains(&at)),
        });
    });
    found
}

/// Finds names; those of an import's braces go on after `path`.
fn walk(tokens: TokenStream, path: &str, found: &mut impl FnMut(Span, String)) {
    let prefix = path.to_string();
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let punct = |i: usize| match tokens.get(i) {
        Some(TokenTree::Punct(punct)) => Some((punct.as_char(), punct.spacing())),
        _ => None,
    };
    let is = |i, c| punct(i).is_some_and(|punct| punct.0 == c);
    let is_separator = |i| punct(i) == Some((':', Spacing::Joint)) && is(i + 1, ':');
    let mut path = prefix.clone();
    for (i, token) in tokens.iter().enumerate() {
        let after = |c| i > 0 && is(i - 1, c);
        match token {
            TokenTree::Ident(name) => {
                path += &name.to_string();
                let next = tokens.get(i + 1);
                // In `use ::a` there is a space between the keyword and the path.
                let end = name.span().byte_range().end;
                if is_separator(i + 1) && next.is_some_and(|n| n.span().byte_range().start == end) {
                    continue;
                } else if is(i + 1, '!') && !is(i + 2, '=') {
                    path = format!("{name}!");
                } else if after('.') && is_group(next, Delimiter::Parenthesis) {
                    path = format!(".{name}()");
                }
                found(name.span(), std::mem::replace(&mut path, prefix.clone()));
            }
            TokenTree::Punct(p) => match p.as_char() {
                ':' if is_separator(i) => path += "::",
                ':' if i > 0 && is_separator(i - 1) => {}
                '*' if path.ends_with("::") => found(p.span(), format!("{path}*")),
                _ => path = prefix.clone(),
            },
            TokenTree::Group(group) => {
                let first = group.stream().into_iter().next();
                if let (true, Some(TokenTree::Ident(name))) = (after('#'), first) {
                    found(name.span(), format!("#[{name}]"));
                }
                let goes_on = path.ends_with("::") && is_group(Some(token), Delimiter::Brace);
                walk(group.stream(), if goes_on { &path } else { "" }, found);
                path = prefix.clone();
            }
            TokenTree::Literal(_) => path = prefix.clone(),
        }
    }
}

fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

/// Where items lie that are compiled for tests alone.
struct TestItems(Vec<Range<usize>>);

macro_rules! note_tests {
    ($($visit:ident: $node:ident),* $(,)?) => {$(
        fn $visit(&mut self, node: &'ast syn::$node) {
            if node.attrs.iter().any(is_for_tests) {
                self.0.push(node.span().byte_range());
            }
            visit::$visit(self, node);
        }
    )*};
}

impl<'ast> Visit<'ast> for TestItems {
    note_tests! {
        visit_file: File, visit_item_const: ItemConst, visit_item_enum: ItemEnum,
        visit_item_fn: ItemFn, visit_item_impl: ItemImpl, visit_item_macro: ItemMacro,
        visit_item_mod: ItemMod, visit_item_static: ItemStatic, visit_item_struct: ItemStruct,
        visit_item_trait: ItemTrait, visit_item_type: ItemType, visit_item_use: ItemUse,
        visit_impl_item_fn: ImplItemFn, visit_trait_item_fn: TraitItemFn, visit_local: Local,
    }
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let words = list.tokens.to_string();
            let mut words = words.split(|c: char| !c.is_alphanumeric() && c != '_');
            let first = words.next();
            first == Some("test") || first == Some("all") && words.any(|word| word == "test")
        }
        meta => matches!(meta, Meta::Path(path) if path.is_ident("test")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the names are used outside tests.
    fn are_used<const N: usize>(text: &str, names: [&str; N]) -> [bool; N] {
        let tokens: TokenStream = text.parse().expect("tokens");
        let file = syn::parse2(tokens.clone()).expect("Rust");
        let found = uses(&file, tokens);
        names.map(|name| found.iter().any(|used| used.name == name && !used.in_test))
    }

    #[test]
    fn names_of_imports_macros_calls_and_attributes_are_found() {
        let text = "use ::mpi::{a::*, B as C, d::{E, self}}; use std::fs; use f;";
        let names = ["::mpi::a::*", "::mpi::B", "::mpi::d::E", "std::fs", "f"];
        assert_eq!(are_used(text, names), [true; 5]);
        let text = "p! { #[ignore] fn f() { a!(x.unwrap() != y, \"z\", S { a: ::b::c() }) } }";
        let names = ["p!", "#[ignore]", "a!", ".unwrap()", "::b::c", "z"];
        assert_eq!(are_used(text, names), [true, true, true, true, true, false]);
    }

    #[test]
    fn only_items_under_a_test_attribute_are_tests() {
        let conditions = [
            "test",
            "cfg(test)",
            "cfg(all(unix, test))",
            "cfg(any(unix, test))",
        ];
        let used = conditions.map(|condition| {
            let text = format!("#[{condition}] fn f() {{ a::b(); }} fn g() {{ c::d(); }}");
            are_used(&text, ["a::b", "c::d"])
        });
        assert_eq!(
            used,
            [[false, true], [false, true], [false, true], [true, true]]
        );
    }
}
