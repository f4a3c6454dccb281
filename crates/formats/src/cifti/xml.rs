//! The XML of a file, as far as its axes go.

use std::str::FromStr;

use roxmltree::{Document, Node, ParsingOptions};

use super::axis::Axis;

/// Tags, and equals signs, that the XML may have; files in use have some thousands.
const MAX_MARKS: usize = 500_000;

/// Attributes of one tag: the parser compares each of them with all others.
const MAX_ATTRIBUTES: usize = 64;

/// Mentions of namespaces: the parser copies those of a tag to the tags inside it.
const MAX_NAMESPACES: usize = 64;

/// The axes of the matrix: that of its columns (dimension 0, fastest), then that of its rows.
pub(super) fn axes(xml: &str) -> Result<[Axis; 2], String> {
    check_size(xml)?;
    let options = ParsingOptions {
        nodes_limit: 2 * MAX_MARKS as u32,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xml, options)
        .map_err(|error| format!("its XML is damaged: {error}"))?;
    let root = document.root_element();
    if root.tag_name().name() != "CIFTI" {
        return Err(format!(
            "its XML starts with <{}>, expected <CIFTI>",
            root.tag_name().name()
        ));
    }
    match attribute(root, "Version")? {
        "2" | "2.0" => {}
        version => {
            return Err(format!(
                "its CIFTI version is {version:?}, only version 2 is read: convert it with \
                 wb_command -file-convert -cifti-version-convert"
            ));
        }
    }
    let maps = children(only_child(root, "Matrix")?, "MatrixIndicesMap");
    let mut axes = [None, None];
    for map in maps {
        let dimension = match attribute(map, "AppliesToMatrixDimension")?.trim() {
            "0" => 0,
            "1" => 1,
            dimension if dimension.contains(',') => {
                return Err(format!(
                    "one axis stands for the dimensions {dimension:?}, so it is a matrix of \
                     connectivity, which is not read"
                ));
            }
            dimension => {
                return Err(format!(
                    "an axis stands for dimension {dimension:?}, expected 0 or 1"
                ));
            }
        };
        if axes[dimension].replace(Axis::parse(map)?).is_some() {
            return Err(format!("dimension {dimension} has two axes"));
        }
    }
    match axes {
        [Some(columns), Some(rows)] => Ok([columns, rows]),
        [None, _] => Err("dimension 0 has no axis".into()),
        [_, None] => Err("dimension 1 has no axis".into()),
    }
}

/// Refuses XML that would take the parser far more time or memory than the XML of a scan.
fn check_size(xml: &str) -> Result<(), String> {
    let at_most = |what: &str, found: usize, most: usize| match found <= most {
        true => Ok(()),
        false => Err(format!(
            "its XML has {found} {what}, at most {most} are read"
        )),
    };
    let count = |mark: u8| xml.bytes().filter(|&byte| byte == mark).count();
    at_most("tags", count(b'<'), MAX_MARKS)?;
    at_most("equals signs", count(b'='), MAX_MARKS)?;
    at_most("namespaces", xml.matches("xmlns").count(), MAX_NAMESPACES)?;
    let attributes = xml.split('<').map(count_attributes).max().unwrap_or(0);
    at_most("attributes in one tag", attributes, MAX_ATTRIBUTES)
}

/// Equals signs outside of quotes, up to the end of the tag.
fn count_attributes(tag: &str) -> usize {
    let mut quote = None;
    let mut attributes = 0;
    for byte in tag.bytes() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes += 1,
            (None, b'>') => break,
            _ => {}
        }
    }
    attributes
}

/// The children of this name.
pub(super) fn children<'a, 'xml>(
    node: Node<'a, 'xml>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'xml>> {
    node.children()
        .filter(move |child| child.tag_name().name() == name)
}

/// The child of this name, of which there must be one.
pub(super) fn only_child<'a, 'xml>(
    node: Node<'a, 'xml>,
    name: &'static str,
) -> Result<Node<'a, 'xml>, String> {
    let mut all = children(node, name);
    match (all.next(), all.next()) {
        (Some(child), None) => Ok(child),
        (first, _) => Err(format!(
            "<{}> has {} <{name}>, expected one",
            node.tag_name().name(),
            if first.is_none() { "no" } else { "several" }
        )),
    }
}

/// The attribute of this name.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, String> {
    node.attribute(name)
        .ok_or_else(|| format!("<{}> has no {name}", node.tag_name().name()))
}

/// The attribute of this name, as a number.
pub(super) fn number<T: FromStr>(node: Node<'_, '_>, name: &str) -> Result<T, String> {
    let text = attribute(node, name)?;
    text.trim().parse().map_err(|_| {
        format!(
            "{name} of <{}> is {text:?}, expected a number that fits",
            node.tag_name().name()
        )
    })
}

/// The numbers in the text of `node`, between white space.
pub(super) fn numbers<T: FromStr>(node: Node<'_, '_>) -> Result<Vec<T>, String> {
    node.text()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|word| {
            word.parse().map_err(|_| {
                format!(
                    "<{}> has {word:?} where a number that fits is expected",
                    node.tag_name().name()
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(xml: &str) -> String {
        match axes(xml) {
            Ok(_) => panic!("it was read"),
            Err(problem) => problem,
        }
    }

    #[test]
    fn what_is_no_cifti_2_is_named() {
        for (xml, word) in [
            ("<CIFTI", "damaged"),
            ("<GIFTI/>", "<GIFTI>"),
            ("<CIFTI/>", "no Version"),
            ("<CIFTI Version='1.0'/>", "-cifti-version-convert"),
            ("<CIFTI Version='2'/>", "no <Matrix>"),
            (
                "<CIFTI Version='2'><Matrix/><Matrix/></CIFTI>",
                "several <Matrix>",
            ),
            (
                "<CIFTI Version='2'><Matrix/></CIFTI>",
                "dimension 0 has no axis",
            ),
            (
                "<CIFTI Version='2'><Matrix><MatrixIndicesMap AppliesToMatrixDimension='0,1'/></Matrix></CIFTI>",
                "matrix of connectivity",
            ),
            (
                "<CIFTI Version='2'><Matrix><MatrixIndicesMap AppliesToMatrixDimension='2'/></Matrix></CIFTI>",
                "expected 0 or 1",
            ),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><CIFTI Version='2'/>", "DTD"),
        ] {
            let problem = refusal(xml);
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn xml_that_would_exhaust_the_parser_is_refused() {
        let attributes: String = (0..=MAX_ATTRIBUTES)
            .map(|at| format!(" a{at}='>'"))
            .collect();
        let namespaces: String = (0..=MAX_NAMESPACES)
            .map(|at| format!("<a xmlns:b{at}='c'>"))
            .collect();
        for (xml, word) in [
            (format!("<CIFTI{attributes}/>"), "attributes in one tag"),
            (namespaces, "namespaces"),
            ("<".repeat(MAX_MARKS + 1), "tags"),
            ("=".repeat(MAX_MARKS + 1), "equals signs"),
        ] {
            let problem = refusal(&xml);
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn deep_nesting_is_survived() {
        let depth = 100_000;
        let xml = format!(
            "<CIFTI Version='2'>{}{}</CIFTI>",
            "<a>".repeat(depth),
            "</a>".repeat(depth)
        );
        assert!(refusal(&xml).contains("no <Matrix>"));
    }
}
