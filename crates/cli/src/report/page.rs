//! Pages that share one look.

use anyhow::{Context, Result};
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

/// Names and texts; a name that ends in `html` decides that values are escaped as HTML.
const TEMPLATES: [(&str, &str); 6] = [
    ("base.html", include_str!("base.html")),
    ("style.css", include_str!("style.css")),
    ("figure.html", include_str!("figure.html")),
    ("facts.html", include_str!("facts.html")),
    ("report.html", include_str!("template.html")),
    ("downstream.html", include_str!("downstream.html")),
];

/// Renders `page` with the template of this name.
///
/// # Errors
/// If a template is damaged or asks for what the page has not.
pub fn render(template: &str, page: impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    for (name, text) in TEMPLATES {
        environment
            .add_template(name, text)
            .with_context(|| format!("the template {name} is damaged"))?;
    }
    environment
        .get_template(template)?
        .render(Serde(page))
        .with_context(|| format!("cannot render {template}"))
}
