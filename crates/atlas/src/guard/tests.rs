use proptest::prelude::*;

use super::*;
use crate::builtin;
use crate::error::{NameProblem, UnknownNames};

fn schaefer(name: &str) -> Atlas {
    builtin::atlas(name).unwrap()
}

fn names(atlas: &Atlas) -> Vec<String> {
    atlas.rois.iter().map(|roi| roi.name.clone()).collect()
}

/// The names of a built-in atlas before v0.14.3, in its order.
fn old_names(name: &str) -> Vec<String> {
    let atlas = schaefer(name);
    let builtin = Builtin::of(&atlas).unwrap();
    let mut old = vec![String::new(); builtin.n_rois];
    for region in builtin.regions() {
        let now = builtin.roi_name(region);
        let at = atlas.rois.iter().position(|roi| roi.name == now).unwrap();
        let networks = builtin.networks;
        old[at] = format!(
            "{}Networks_{}",
            networks.number(),
            region.name(networks, true)
        );
    }
    old
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The problem of the names, and the atlas to which they belong instead.
fn refused(atlas: &Atlas, found: &[String]) -> (NameProblem, Option<&'static str>) {
    match match_columns(atlas, found) {
        Err(AtlasError::AtlasMismatch { difference, .. }) => match *difference {
            Mismatch::Names {
                problem,
                other_atlas,
            } => (problem, other_atlas),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_names_of_the_atlas_are_its_columns() {
    let atlas = schaefer("schaefer-100-7");
    let matched = match_columns(&atlas, &names(&atlas)).unwrap();
    let expected = ColumnMatch {
        columns: (0..100).map(Some).collect(),
        reordered: false,
        aliased: 0,
        ignored: Vec::new(),
        naming: "schaefer-100-7".into(),
    };
    assert_eq!(matched, expected);
}

#[test]
fn names_spelt_another_way_are_the_same_names() {
    let atlas = schaefer("schaefer-100-7");
    let found: Vec<String> = names(&atlas)
        .iter()
        .map(|name| {
            name.replace("7Networks_", "")
                .replace('_', "-")
                .to_lowercase()
        })
        .collect();
    let matched = match_columns(&atlas, &found).unwrap();
    assert_eq!((matched.reordered, matched.aliased), (false, 0));
    assert_eq!(matched.columns[99], Some(99));
}

#[test]
fn what_4s156_adds_below_the_cortex_is_ignored_and_listed() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = strings(&["LH-Pu", "RH-Ca"]);
    found.extend(
        names(&atlas)
            .iter()
            .map(|name| name.replace("7Networks_", "")),
    );
    found.extend((1..=54).map(|at| format!("Cerebellar_Region{at}")));
    let matched = match_columns(&atlas, &found).unwrap();
    assert_eq!(matched.columns[0], Some(2));
    assert!(!matched.reordered);
    assert_eq!(matched.ignored.len(), 56);
    assert_eq!(matched.ignored[..2], ["LH-Pu", "RH-Ca"]);
}

#[test]
fn names_of_before_v0_14_3_are_read_by_their_own_list() {
    let atlas = schaefer("schaefer-100-7");
    let found = old_names("schaefer-100-7");
    // One name for two regions: index 21 before v0.14.3, index 22 since.
    assert_eq!(found[21], "7Networks_LH_DorsAttn_FEF_1");
    assert_eq!(atlas.rois[22].name, found[21]);

    let matched = match_columns(&atlas, &found).unwrap();
    assert_eq!(matched.columns[21..23], [Some(21), Some(22)]);
    assert_eq!((matched.reordered, matched.aliased), (false, 19));
    assert_eq!(matched.naming, "schaefer-100-7 before v0.14.3");
}

#[test]
fn names_by_17_networks_are_put_in_the_order_of_7() {
    let (seven, seventeen) = (schaefer("schaefer-300-7"), schaefer("schaefer-300-17"));
    let matched = match_columns(&seven, &names(&seventeen)).unwrap();
    assert!(matched.reordered && matched.naming == "schaefer-300-17");
    for (roi, column) in seven.rois.iter().zip(&matched.columns) {
        assert_eq!(roi.centroid_mm, seventeen.rois[column.unwrap()].centroid_mm);
    }
}

#[test]
fn a_right_hemisphere_that_comes_first_is_put_second() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = names(&atlas);
    found.rotate_left(50);
    let matched = match_columns(&atlas, &found).unwrap();
    assert!(matched.reordered);
    assert_eq!(
        (matched.columns[0], matched.columns[50]),
        (Some(50), Some(0))
    );
}

#[test]
fn names_of_two_generations_are_not_mixed() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = names(&atlas);
    found[48] = "7Networks_LH_Default_PCC_1".into();
    let mixed = NameProblem::Mixed {
        n_explained: 99,
        list: "schaefer-100-7".into(),
        odd: "7Networks_LH_Default_PCC_1".into(),
        other_list: "schaefer-100-7 before v0.14.3".into(),
    };
    assert_eq!(refused(&atlas, &found), (mixed, None));
}

#[test]
fn a_name_that_two_generations_read_differently_is_refused_when_nothing_else_tells() {
    let atlas = schaefer("schaefer-100-7");
    let (problem, _) = refused(&atlas, &strings(&["LH_Vis_1", "LH_DorsAttn_FEF_1"]));
    let is_ambiguous = matches!(
        &problem,
        NameProblem::Ambiguous { name, .. } if name == "LH_DorsAttn_FEF_1"
    );
    assert!(is_ambiguous, "{problem:?}");

    // The name of the neighbour exists only since v0.14.3, or only before it.
    let now = match_columns(
        &atlas,
        &strings(&["LH_DorsAttn_PrCv_1", "LH_DorsAttn_FEF_1"]),
    )
    .unwrap();
    assert_eq!(now.columns[21..23], [Some(0), Some(1)]);
    let then = match_columns(
        &atlas,
        &strings(&["LH_DorsAttn_FEF_2", "LH_DorsAttn_FEF_1"]),
    )
    .unwrap();
    assert_eq!(then.columns[21..23], [Some(1), Some(0)]);
}

#[test]
fn rois_without_a_column_are_told_by_name() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = names(&atlas);
    found.remove(1);
    let matched = match_columns(&atlas, &found).unwrap();
    assert_eq!(matched.columns[..3], [Some(0), None, Some(1)]);
    let there = (0..100).filter(|roi| matched.columns[*roi].is_some());
    assert_eq!(missing(&atlas, there), ["7Networks_LH_Vis_2"]);
}

#[test]
fn a_name_or_an_roi_that_is_there_twice_is_refused() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = names(&atlas);
    found.push("time".into());
    found.push("time".into());
    let name = "time".to_owned();
    assert_eq!(refused(&atlas, &found).0, NameProblem::NameTwice { name });
    found.truncate(100);
    found.push("lh-vis-1".into());
    let twice = NameProblem::RoiTwice {
        first: "7Networks_LH_Vis_1".into(),
        second: "lh-vis-1".into(),
        roi: "7Networks_LH_Vis_1".into(),
    };
    assert_eq!(refused(&atlas, &found).0, twice);
}

#[test]
fn unknown_names_are_listed_with_what_they_may_be() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = names(&atlas);
    found[1] = "LH_Viz_2".into();
    found.extend((0..6).map(|at| format!("noise {at}")));
    let (problem, _) = refused(&atlas, &found);
    let NameProblem::Unknown {
        found: 99,
        expected: 100,
        unknown,
    } = problem
    else {
        panic!("{problem:?}")
    };
    assert_eq!((unknown.listed.len(), unknown.n_more), (5, 2));
    let near = Some("7Networks_LH_Vis_2".into());
    assert_eq!(unknown.listed[0], ("LH_Viz_2".into(), near));
    assert_eq!(unknown.listed[1], ("noise 0".into(), None));

    let numbers: Vec<String> = (0..100).map(|at| at.to_string()).collect();
    let (problem, _) = refused(&atlas, &numbers);
    assert!(matches!(problem, NameProblem::NoRoi { .. }), "{problem:?}");
    let unknown = UnknownNames::default();
    assert_eq!(refused(&atlas, &[]).0, NameProblem::NoRoi { unknown });
}

#[test]
fn a_cortical_roi_too_many_is_not_ignored() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = names(&atlas);
    found.push("7Networks_LH_Vis_10".into());
    let (problem, _) = refused(&atlas, &found);
    let is_unknown = matches!(
        &problem,
        NameProblem::Unknown { found: 100, unknown, .. }
            if unknown.listed[0].0 == "7Networks_LH_Vis_10"
    );
    assert!(is_unknown, "{problem:?}");
}

#[test]
fn the_names_of_another_number_of_rois_are_recognised() {
    for (asked, given) in [
        ("schaefer-100-7", "schaefer-200-7"),
        ("schaefer-200-7", "schaefer-100-7"),
        ("schaefer-400-17", "schaefer-300-17"),
        // Every name of the first is also a name of the second.
        ("schaefer-100-17", "schaefer-300-17"),
    ] {
        for found in [names(&schaefer(given)), old_names(given)] {
            let (_, other_atlas) = refused(&schaefer(asked), &found);
            assert_eq!(other_atlas, Some(given), "{asked}");
        }
    }
}

#[test]
fn columns_of_rois_that_were_taken_out_are_ignored() {
    let all = schaefer("schaefer-100-7");
    let fewer = all.without(&["LH_Vis_1", "RH_Vis_1"]).unwrap();
    for found in [names(&all), old_names("schaefer-100-7")] {
        let matched = match_columns(&fewer, &found).unwrap();
        assert_eq!(matched.columns[0], Some(1));
        assert_eq!(
            matched.ignored,
            ["7Networks_LH_Vis_1", "7Networks_RH_Vis_1"]
        );
    }
}

#[test]
fn an_atlas_of_ones_own_goes_by_its_own_names() {
    let atlas = crate::region::tests::atlas(&["Left V1", "Right V1"]);
    let matched = match_columns(&atlas, &strings(&["time", "right_v1", "left_v1"])).unwrap();
    assert_eq!(matched.columns, [Some(2), Some(1)]);
    assert_eq!(matched.ignored, ["time"]);

    // Names that differ only in `-` and `_` must match exactly.
    let atlas = crate::region::tests::atlas(&["a-1", "a_1"]);
    let matched = match_columns(&atlas, &strings(&["a_1", "a-1"])).unwrap();
    assert_eq!(matched.columns, [Some(1), Some(0)]);
    let (problem, _) = refused(&atlas, &strings(&["a 1", "a-1"]));
    let is_half = matches!(
        problem,
        NameProblem::Unknown {
            found: 1,
            expected: 2,
            ..
        }
    );
    assert!(is_half, "{problem:?}");
}

#[test]
fn as_many_columns_as_rois_are_taken_in_order_with_a_warning() {
    let warning = match_count(&schaefer("schaefer-100-7"), 100, 1200).unwrap();
    assert!(
        warning.contains("cannot be checked, nor whether"),
        "{warning}"
    );
}

#[test]
fn another_number_of_columns_is_refused_with_what_it_may_be() {
    let atlas = schaefer("schaefer-100-7");
    let with_4s = CountHint::With4s {
        n_columns: 156,
        atlas: "schaefer-100-7",
        n_subcortical: 56,
    };
    let other = CountHint::OtherAtlas {
        atlas: "schaefer-200-7",
    };
    for (n_columns, n_rows, hint) in [
        (101, 1200, CountHint::OneMore),
        (1200, 100, CountHint::Transposed),
        (200, 1200, other),
        (156, 1200, with_4s),
        (99, 1200, CountHint::Unknown),
        (0, 0, CountHint::Unknown),
    ] {
        let expected = 100;
        match match_count(&atlas, n_columns, n_rows) {
            Err(AtlasError::AtlasMismatch { difference, .. }) => {
                assert_eq!(*difference, Mismatch::Count { expected, hint });
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_the_names_is_brought_back(
        which in prop::sample::select(builtin::names().collect::<Vec<_>>()),
        old in any::<bool>(),
        prefix in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let atlas = schaefer(which);
        let listed = if old { old_names(which) } else { names(&atlas) };
        let mut shuffled: Vec<usize> = (0..listed.len()).collect();
        // The order is arbitrary: here by a hash of the index.
        shuffled.sort_by_key(|at| (*at as u64 + 1).wrapping_mul(seed | 1).rotate_left(23));
        let found: Vec<String> = shuffled
            .iter()
            .map(|at| {
                let name = &listed[*at];
                let short = name.split_once('_').map(|(_, rest)| rest.to_owned());
                if prefix { name.clone() } else { short.unwrap() }
            })
            .collect();
        let matched = match_columns(&atlas, &found).unwrap();
        for (roi, column) in matched.columns.iter().enumerate() {
            prop_assert_eq!(shuffled[column.unwrap()], roi);
        }
        prop_assert_eq!(matched.reordered, !shuffled.is_sorted());
    }

    #[test]
    fn no_names_make_it_panic(found in prop::collection::vec(".{0,20}", 0..20)) {
        let atlas = schaefer("schaefer-100-7");
        let _ = match_columns(&atlas, &found);
    }
}
