//! Pages from templates with a common layout and style.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::{ReportError, Result};

/// Names and texts of the templates; in one whose name ends in `html`, values are escaped as HTML.
const TEMPLATES: &[(&str, &str)] = &[
    ("base.html", include_str!("templates/base.html")),
    ("style.css", include_str!("templates/style.css")),
    ("figure.html", include_str!("templates/figure.html")),
    (
        "plain_table.html",
        include_str!("templates/plain_table.html"),
    ),
    ("facts.html", include_str!("templates/facts.html")),
    (
        "reconstruction.html",
        include_str!("templates/reconstruction.html"),
    ),
    ("downstream.html", include_str!("templates/downstream.html")),
    ("seeds.html", include_str!("templates/seeds.html")),
];

/// Renders `page` with the template of this name.
///
/// # Errors
/// If a template is damaged, or needs a value that the page lacks.
pub fn render(template: &'static str, page: impl Serialize) -> Result<String> {
    let refuse = |template| move |source| ReportError::Template { template, source };
    let mut environment = Environment::new();
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(refuse(name))?;
    }
    environment
        .get_template(template)
        .and_then(|known| known.render(Serde(page)))
        .map_err(refuse(template))
}
