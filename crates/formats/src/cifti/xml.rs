//! XML of a file: the parts that describe its axes.

use std::str::FromStr;

use roxmltree::{Document, Node, ParsingOptions};

use super::axis::Axis;
use super::problem::{CiftiProblem, XmlProblem};

/// Maximum number of tags, and of equals signs, in the XML; real files have some thousands.
const MAX_MARKS: usize = 500_000;

/// Maximum number of attributes of one tag: the parser compares each of them with all others.
const MAX_ATTRIBUTES: usize = 64;

/// Maximum number of namespaces: the parser copies those of a tag to the tags inside it.
const MAX_NAMESPACES: usize = 64;

/// The axes of the matrix: the axis of the columns (dimension 0, fastest), then that of the rows.
pub(super) fn axes(xml: &str) -> Result<[Axis; 2], CiftiProblem> {
    check_size(xml)?;
    let options = ParsingOptions {
        nodes_limit: 2 * MAX_MARKS as u32,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xml, options).map_err(XmlProblem::Damaged)?;
    let root = document.root_element();
    if root.tag_name().name() != "CIFTI" {
        let found = root.tag_name().name().into();
        return Err(XmlProblem::Root { found }.into());
    }
    match attribute(root, "Version")? {
        "2" | "2.0" => {}
        version => {
            let found = version.into();
            return Err(XmlProblem::Version { found }.into());
        }
    }
    let maps = children(only_child(root, "Matrix")?, "MatrixIndicesMap");
    let mut axes = [None, None];
    for map in maps {
        let dimension = match attribute(map, "AppliesToMatrixDimension")?.trim() {
            "0" => 0,
            "1" => 1,
            dimension if dimension.contains(',') => {
                let dimensions = dimension.into();
                return Err(XmlProblem::Connectivity { dimensions }.into());
            }
            dimension => {
                let found = dimension.into();
                return Err(XmlProblem::Dimension { found }.into());
            }
        };
        if axes[dimension].replace(Axis::parse(map)?).is_some() {
            return Err(XmlProblem::RepeatedAxis { dimension }.into());
        }
    }
    match axes {
        [Some(columns), Some(rows)] => Ok([columns, rows]),
        [None, _] => Err(XmlProblem::NoAxis { dimension: 0 }.into()),
        [_, None] => Err(XmlProblem::NoAxis { dimension: 1 }.into()),
    }
}

/// Refuses XML that needs much more time or memory to parse than the XML of a scan.
fn check_size(xml: &str) -> Result<(), XmlProblem> {
    let at_most = |what: &'static str, found: usize, most: usize| match found <= most {
        true => Ok(()),
        false => Err(XmlProblem::Size {
            what,
            found: found as u64,
            most: most as u64,
        }),
    };
    let count = |mark: u8| xml.bytes().filter(|&byte| byte == mark).count();
    at_most("tags", count(b'<'), MAX_MARKS)?;
    at_most("equals signs", count(b'='), MAX_MARKS)?;
    at_most("namespaces", xml.matches("xmlns").count(), MAX_NAMESPACES)?;
    let attributes = xml.split('<').map(count_attributes).max().unwrap_or(0);
    at_most("attributes in one tag", attributes, MAX_ATTRIBUTES)
}

/// Number of equals signs outside quotes, up to the end of the tag.
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

/// The children with this name.
pub(super) fn children<'a, 'xml>(
    node: Node<'a, 'xml>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'xml>> {
    node.children()
        .filter(move |child| child.tag_name().name() == name)
}

/// The only child with this name; it must exist once.
pub(super) fn only_child<'a, 'xml>(
    node: Node<'a, 'xml>,
    name: &'static str,
) -> Result<Node<'a, 'xml>, XmlProblem> {
    let mut all = children(node, name);
    match (all.next(), all.next()) {
        (Some(child), None) => Ok(child),
        (first, _) => Err(XmlProblem::Children {
            tag: node.tag_name().name().into(),
            child: name,
            several: first.is_some(),
        }),
    }
}

/// The attribute with this name.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, XmlProblem> {
    node.attribute(name).ok_or_else(|| XmlProblem::NoAttribute {
        tag: node.tag_name().name().into(),
        attribute: name.into(),
    })
}

/// The attribute with this name, as a number.
pub(super) fn number<T: FromStr>(node: Node<'_, '_>, name: &str) -> Result<T, XmlProblem> {
    let text = attribute(node, name)?;
    text.trim()
        .parse()
        .map_err(|_| XmlProblem::AttributeNumber {
            tag: node.tag_name().name().into(),
            attribute: name.into(),
            found: text.into(),
        })
}

/// The numbers in the text of `node`, separated by white space.
pub(super) fn numbers<T: FromStr>(node: Node<'_, '_>) -> Result<Vec<T>, XmlProblem> {
    node.text()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|word| {
            word.parse().map_err(|_| XmlProblem::TextNumber {
                tag: node.tag_name().name().into(),
                found: word.into(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(xml: &str) -> XmlProblem {
        match axes(xml) {
            Err(CiftiProblem::Xml(problem)) => problem,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was read"),
        }
    }

    #[test]
    fn what_is_no_cifti_2_is_named() {
        let map = |dimension: &str| {
            refusal(&format!(
                "<CIFTI Version='2'><Matrix>\
                 <MatrixIndicesMap AppliesToMatrixDimension='{dimension}'/></Matrix></CIFTI>"
            ))
        };
        assert!(matches!(refusal("<CIFTI"), XmlProblem::Damaged(_)));
        assert!(matches!(
            refusal("<GIFTI/>"),
            XmlProblem::Root { found } if found == "GIFTI"
        ));
        assert!(matches!(
            refusal("<CIFTI/>"),
            XmlProblem::NoAttribute { attribute, .. } if attribute == "Version"
        ));
        assert!(matches!(
            refusal("<CIFTI Version='1.0'/>"),
            XmlProblem::Version { found } if found == "1.0"
        ));
        for (xml, are_several) in [
            ("<CIFTI Version='2'/>", false),
            ("<CIFTI Version='2'><Matrix/><Matrix/></CIFTI>", true),
        ] {
            assert!(matches!(
                refusal(xml),
                XmlProblem::Children { child: "Matrix", several, .. } if several == are_several
            ));
        }
        assert!(matches!(
            refusal("<CIFTI Version='2'><Matrix/></CIFTI>"),
            XmlProblem::NoAxis { dimension: 0 }
        ));
        assert!(matches!(map("0,1"), XmlProblem::Connectivity { .. }));
        assert!(matches!(map("2"), XmlProblem::Dimension { found } if found == "2"));
        assert!(matches!(
            refusal("<!DOCTYPE a [<!ENTITY b 'c'>]><CIFTI Version='2'/>"),
            XmlProblem::Damaged(roxmltree::Error::DtdDetected)
        ));
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
            assert!(
                matches!(problem, XmlProblem::Size { what, .. } if what == word),
                "{problem}"
            );
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
        assert!(matches!(
            refusal(&xml),
            XmlProblem::Children {
                child: "Matrix",
                several: false,
                ..
            }
        ));
    }
}
