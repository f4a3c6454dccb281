//! Axes of the matrix: the meaning of its columns and rows.

use std::collections::HashSet;

use roxmltree::Node;

use super::models::BrainModels;
use super::problem::CiftiProblem;
use super::xml::{attribute, children, number, only_child};

/// Maximum number of volumes of one scan: one day at one volume per second. Above it, the memory
/// for the signals would be large compared with the file.
const MAX_VOLUMES: usize = 86_400;

/// One axis of the matrix.
pub(super) enum Axis {
    Series(Series),
    BrainModels(BrainModels),
    /// The names of the parcels.
    Parcels(Vec<String>),
    Labels(Labels),
    Scalars,
}

/// Consecutive volumes.
#[derive(Debug)]
pub(super) struct Series {
    pub n_volumes: usize,
    pub tr_secs: f64,
}

/// Label maps with the table of the first map.
#[derive(Debug)]
pub(super) struct Labels {
    pub n_maps: usize,
    pub first_map: String,
    pub table: Vec<LabelEntry>,
}

/// One label of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelEntry {
    /// The number of the label in the data.
    pub key: i64,
    /// Name of the label; `???` is the usual name for "no label".
    pub name: String,
}

impl Axis {
    /// Parses a `MatrixIndicesMap`.
    pub fn parse(map: Node<'_, '_>) -> Result<Self, CiftiProblem> {
        match attribute(map, "IndicesMapToDataType")? {
            "CIFTI_INDEX_TYPE_SERIES" => Ok(Self::Series(Series::parse(map)?)),
            "CIFTI_INDEX_TYPE_BRAIN_MODELS" => Ok(Self::BrainModels(BrainModels::parse(map)?)),
            "CIFTI_INDEX_TYPE_PARCELS" => Ok(Self::Parcels(parcel_names(map)?)),
            "CIFTI_INDEX_TYPE_LABELS" => Ok(Self::Labels(Labels::parse(map)?)),
            "CIFTI_INDEX_TYPE_SCALARS" => Ok(Self::Scalars),
            found => Err(CiftiProblem::AxisType {
                found: found.into(),
            }),
        }
    }

    /// Name of the kind of axis, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Series(_) => "series",
            Self::BrainModels(_) => "brain models",
            Self::Parcels(_) => "parcels",
            Self::Labels(_) => "labels",
            Self::Scalars => "scalars",
        }
    }

    /// Entries of the axis; 0 for [`Scalars`](Self::Scalars), which are not read.
    pub fn len(&self) -> usize {
        match self {
            Self::Series(series) => series.n_volumes,
            Self::BrainModels(models) => models.len(),
            Self::Parcels(names) => names.len(),
            Self::Labels(labels) => labels.n_maps,
            Self::Scalars => 0,
        }
    }
}

impl Series {
    fn parse(map: Node<'_, '_>) -> Result<Self, CiftiProblem> {
        let n_volumes: usize = number(map, "NumberOfSeriesPoints")?;
        if n_volumes > MAX_VOLUMES {
            return Err(CiftiProblem::ManyVolumes {
                found: n_volumes,
                most: MAX_VOLUMES,
            });
        }
        match attribute(map, "SeriesUnit")? {
            "SECOND" => {}
            found => {
                return Err(CiftiProblem::SeriesUnit {
                    found: found.into(),
                });
            }
        }
        let step: f64 = number(map, "SeriesStep")?;
        let exponent: i32 = number(map, "SeriesExponent")?;
        // A negative power of ten is not exact, so 720 · 10⁻³ is computed as 720 / 10³.
        let power = 10_f64.powf(f64::from(exponent).abs());
        let tr_secs = if exponent < 0 {
            step / power
        } else {
            step * power
        };
        if !(tr_secs.is_finite() && tr_secs > 0.0) {
            return Err(CiftiProblem::Tr { step, exponent });
        }
        Ok(Self { n_volumes, tr_secs })
    }
}

impl Labels {
    fn parse(map: Node<'_, '_>) -> Result<Self, CiftiProblem> {
        let maps: Vec<Node<'_, '_>> = children(map, "NamedMap").collect();
        let first = *maps.first().ok_or(CiftiProblem::NoLabelMap)?;
        let mut keys = HashSet::new();
        let mut table = Vec::new();
        for label in children(only_child(first, "LabelTable")?, "Label") {
            let key = number(label, "Key")?;
            if !keys.insert(key) {
                return Err(CiftiProblem::RepeatedKey { key });
            }
            table.push(LabelEntry {
                key,
                name: label.text().unwrap_or_default().trim().to_owned(),
            });
        }
        Ok(Self {
            n_maps: maps.len(),
            first_map: children(first, "MapName")
                .next()
                .and_then(|name| name.text())
                .unwrap_or_default()
                .trim()
                .to_owned(),
            table,
        })
    }
}

fn parcel_names(map: Node<'_, '_>) -> Result<Vec<String>, CiftiProblem> {
    let mut known = HashSet::new();
    children(map, "Parcel")
        .map(|parcel| {
            let name = attribute(parcel, "Name")?;
            if known.insert(name) {
                Ok(name.to_owned())
            } else {
                Err(CiftiProblem::RepeatedParcel { name: name.into() })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::super::problem::XmlProblem;
    use super::*;

    fn parse(xml: &str) -> Result<Axis, CiftiProblem> {
        Axis::parse(Document::parse(xml).unwrap().root_element())
    }

    fn series(attributes: &str) -> Result<f64, CiftiProblem> {
        let xml = format!("<a IndicesMapToDataType='CIFTI_INDEX_TYPE_SERIES' {attributes}/>");
        match parse(&xml)? {
            Axis::Series(series) => Ok(series.tr_secs),
            _ => panic!("no series"),
        }
    }

    #[test]
    fn the_tr_is_the_step_with_its_exponent() {
        for (step, exponent, tr_secs) in [("0.8", 0, 0.8), ("720", -3, 0.72), ("0.2", 1, 2.0)] {
            let attributes = format!(
                "NumberOfSeriesPoints='5' SeriesUnit='SECOND' SeriesStep='{step}' SeriesExponent='{exponent}'"
            );
            assert_eq!(series(&attributes).unwrap(), tr_secs);
        }
    }

    #[test]
    fn a_series_that_is_no_time_is_refused() {
        let refusal = |attributes: &str| series(attributes).unwrap_err();
        assert!(matches!(
            refusal("NumberOfSeriesPoints='5' SeriesUnit='HERTZ'"),
            CiftiProblem::SeriesUnit { found } if found == "HERTZ"
        ));
        assert!(matches!(
            refusal("NumberOfSeriesPoints='-5'"),
            CiftiProblem::Xml(XmlProblem::AttributeNumber { attribute, .. })
                if attribute == "NumberOfSeriesPoints"
        ));
        assert!(matches!(
            refusal("NumberOfSeriesPoints='86401'"),
            CiftiProblem::ManyVolumes { found: 86_401, .. }
        ));
        assert!(matches!(
            refusal("SeriesUnit='SECOND'"),
            CiftiProblem::Xml(XmlProblem::NoAttribute { attribute, .. })
                if attribute == "NumberOfSeriesPoints"
        ));
        for (step, exponent) in [("0", 0), ("NaN", 0), ("1", i32::MIN)] {
            let problem = refusal(&format!(
                "NumberOfSeriesPoints='5' SeriesUnit='SECOND' SeriesStep='{step}' \
                 SeriesExponent='{exponent}'"
            ));
            assert!(
                matches!(problem, CiftiProblem::Tr { exponent: found, .. } if found == exponent),
                "{problem}"
            );
        }
    }

    #[test]
    fn parcels_and_labels_are_told_apart_by_name_and_key() {
        let parcels = |names: [&str; 2]| {
            let parcels = names
                .map(|name| format!("<Parcel Name='{name}'/>"))
                .concat();
            parse(&format!(
                "<a IndicesMapToDataType='CIFTI_INDEX_TYPE_PARCELS'>{parcels}</a>"
            ))
        };
        assert_eq!(parcels(["V1", "V2"]).unwrap().len(), 2);
        assert!(matches!(
            parcels(["V1", "V1"]),
            Err(CiftiProblem::RepeatedParcel { name }) if name == "V1"
        ));

        let labels = |keys: [i64; 2]| {
            let labels = keys
                .map(|key| format!("<Label Key='{key}'> n{key} </Label>"))
                .concat();
            parse(&format!(
                "<a IndicesMapToDataType='CIFTI_INDEX_TYPE_LABELS'><NamedMap><MapName>m</MapName>\
                 <LabelTable>{labels}</LabelTable></NamedMap></a>"
            ))
        };
        let Ok(Axis::Labels(read)) = labels([0, -7]) else {
            panic!("no labels")
        };
        assert_eq!((read.n_maps, read.first_map.as_str()), (1, "m"));
        assert_eq!(read.table[1].key, -7);
        assert_eq!(read.table[1].name, "n-7");
        assert!(matches!(
            labels([3, 3]),
            Err(CiftiProblem::RepeatedKey { key: 3 })
        ));
    }
}
