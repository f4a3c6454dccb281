use super::*;

/// The messages of one kind of problem, as users see them.
fn messages<E: std::fmt::Display>(errors: impl IntoIterator<Item = E>) -> String {
    let lines: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
    lines.join("\n")
}

fn mismatch(found: &str, difference: impl Into<Mismatch>) -> AtlasError {
    AtlasError::mismatch(found.into(), "schaefer-100-7", difference.into())
}

#[test]
fn names_that_are_not_those_of_the_atlas() {
    let names = |problem, other_atlas| {
        let difference = Mismatch::Names {
            problem,
            other_atlas,
        };
        mismatch("of 101 named columns", difference)
    };
    let unknown = UnknownNames {
        listed: vec![
            ("LH_Viz_2".into(), Some("7Networks_LH_Vis_2".into())),
            ("n".repeat(70), None),
        ],
        n_more: 2,
    };
    let mixed = NameProblem::Mixed {
        n_explained: 99,
        list: "schaefer-100-7".into(),
        odd: "7Networks_LH_Default_PCC_1".into(),
        other_list: "schaefer-100-7 before v0.14.3".into(),
    };
    let ambiguous = NameProblem::Ambiguous {
        name: "LH_DorsAttn_FEF_1".into(),
        list: "schaefer-100-7".into(),
        other_list: "schaefer-100-7 before v0.14.3".into(),
    };
    let twice = NameProblem::RoiTwice {
        first: "LH_Vis_1".into(),
        second: "lh-vis-1".into(),
        roi: "7Networks_LH_Vis_1".into(),
    };
    let incomplete = NameProblem::Unknown {
        found: 99,
        expected: 100,
        unknown,
    };
    let none = NameProblem::NoRoi {
        unknown: UnknownNames::default(),
    };
    insta::assert_snapshot!(messages([
        names(NameProblem::NameTwice { name: "a".into() }, None),
        names(twice, None),
        names(none, Some("schaefer-200-7")),
        names(incomplete, None),
        names(mixed, None),
        names(ambiguous, None),
    ]));
}

#[test]
fn columns_and_labels_that_are_not_the_rois() {
    let count = |hint| {
        let expected = 100;
        mismatch(
            "of 156 columns without names",
            Mismatch::Count { expected, hint },
        )
    };
    let label = |problem: LabelProblem| mismatch("of 120 labels", problem);
    let with_4s = CountHint::With4s {
        n_columns: 156,
        atlas: "schaefer-100-7",
        n_subcortical: 56,
    };
    let above = |keys: Vec<u32>, other_atlas| {
        label(LabelProblem::KeysAbove {
            keys,
            n_rois: 100,
            other_atlas,
        })
    };
    let places = |own_place, in_mni| {
        label(LabelProblem::Places {
            own_side: Some(0.51),
            own_place,
            expected: 0.9,
            in_mni,
        })
    };
    insta::assert_snapshot!(messages([
        count(CountHint::OneMore),
        count(with_4s),
        above(vec![101], None),
        above((101..=200).collect(), Some("schaefer-200-7")),
        label(LabelProblem::OneLow),
        label(LabelProblem::RightFirst),
        places(Some(0.2), true),
        places(None, false),
    ]));
}

#[test]
fn tables_that_make_no_atlas() {
    let name = "a".to_owned();
    let rois = RoiProblem::Name {
        place: 1,
        name: name.clone(),
    };
    let centroids = |problem| AtlasError::centroids(Path::new("centres.csv"), 3, problem);
    let found = vec!["ROI Name".to_owned(), "R".to_owned()];
    insta::assert_snapshot!(messages([
        AtlasError::LabelTable(LabelTableProblem::NameAtZero { name }),
        AtlasError::LabelTable(LabelTableProblem::KeyTwice { key: 1 }),
        AtlasError::LabelTable(LabelTableProblem::Empty),
        AtlasError::LabelTable(LabelTableProblem::Rois(rois)),
        centroids(CentroidProblem::Header { found }),
        centroids(CentroidProblem::Place { found: "x".into() }),
        AtlasError::TooFewVoxels {
            n_rois: 5,
            n_voxels: 4
        },
    ]));
}
