use super::*;
use crate::error::{Mismatch, NameProblem};
use crate::guard::missing;

fn schaefer(name: &str) -> Atlas {
    builtin::atlas(name).unwrap()
}

/// A label table of the names in order, keys from 1.
fn table(atlas: &Atlas) -> Vec<(u32, String)> {
    (1..)
        .zip(atlas.rois.iter().map(|roi| roi.name.clone()))
        .collect()
}

/// The regions of keys from 1, each with the position that `place` returns.
fn regions(n: u32, place: impl Fn(usize) -> Option<[f64; 3]>) -> BTreeMap<u32, LabelRegion> {
    (1..=n)
        .map(|key| {
            let centroid_mm = place(key as usize - 1);
            (
                key,
                LabelRegion {
                    n: 500,
                    centroid_mm,
                },
            )
        })
        .collect()
}

fn centre(atlas: &Atlas, roi: usize) -> Option<[f64; 3]> {
    let centre = atlas.rois.get(roi)?.centroid_mm?;
    Some(centre.map(f64::from))
}

/// The difference in a refused match.
fn difference<T: std::fmt::Debug>(result: Result<T, AtlasError>) -> Mismatch {
    match result {
        Err(AtlasError::AtlasMismatch { difference, .. }) => *difference,
        other => panic!("{other:?}"),
    }
}

fn refused(atlas: &Atlas, regions: &BTreeMap<u32, LabelRegion>, space: LabelSpace) -> LabelProblem {
    match difference(match_label_keys(atlas, regions, space)) {
        Mismatch::Labels(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// The share of regions on their own side, and the share nearer to their own ROI than to others.
fn misplaced(problem: LabelProblem) -> (Option<f64>, Option<f64>) {
    match problem {
        LabelProblem::Places {
            own_side,
            own_place,
            ..
        } => (own_side, own_place),
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_of_a_table_are_found_by_name_in_any_order() {
    let atlas = schaefer("schaefer-100-7");
    let mut rows = table(&atlas);
    rows[0].0 = 5000;
    rows.swap(3, 70);
    rows.push((0, "???".into()));
    rows.push((900, "Background+FreeSurfer_Defined_Medial_Wall".into()));
    rows.push((901, "LH-Pu".into()));
    let keys = match_label_table(&atlas, &rows).unwrap();
    assert_eq!(keys.len(), 100);
    assert_eq!((keys[&5000], keys[&2], keys[&100]), (0, 1, 99));
    assert!(!keys.contains_key(&901) && !keys.contains_key(&0));
}

#[test]
fn a_table_by_17_networks_gives_the_order_of_7() {
    let (seven, seventeen) = (schaefer("schaefer-200-7"), schaefer("schaefer-200-17"));
    let keys = match_label_table(&seven, &table(&seventeen)).unwrap();
    for (key, roi) in keys {
        assert_eq!(
            seven.rois[roi].centroid_mm,
            seventeen.rois[key as usize - 1].centroid_mm
        );
    }
}

#[test]
fn a_table_with_an_roi_at_0_or_a_key_twice_is_refused() {
    let atlas = schaefer("schaefer-100-7");
    let mut rows = table(&atlas);
    for row in &mut rows {
        row.0 -= 1;
    }
    let refused = |rows: &[(u32, String)]| difference(match_label_table(&atlas, rows));
    let roi = atlas.rois[0].name.clone();
    let at_zero = LabelProblem::RoiAtZero { roi };
    assert_eq!(refused(&rows), Mismatch::Labels(at_zero));
    rows[0].0 = 7;
    let twice = refused(&rows);
    assert!(
        matches!(
            twice,
            Mismatch::Labels(LabelProblem::KeyTwice { key: 7, .. })
        ),
        "{twice:?}"
    );
    let none = refused(&[]);
    assert!(
        matches!(
            none,
            Mismatch::Names {
                problem: NameProblem::NoRoi { .. },
                ..
            }
        ),
        "{none:?}"
    );
}

#[test]
fn keys_from_1_are_the_rois_in_order() {
    for name in builtin::names() {
        let atlas = schaefer(name);
        let n = atlas.n_rois() as u32;
        let expected: BTreeMap<u32, usize> = (1..=n).zip(0..).collect();
        // Positions are a few mm off, as voxels are from the surface.
        let near = |roi: usize| {
            let [r, a, s] = centre(&atlas, roi)?;
            let off = [-2.5, 0.0, 2.5][roi % 3];
            Some([r + off, a - off, s + 1.0])
        };
        for (space, place) in [
            (LabelSpace::Mni, regions(n, near)),
            (LabelSpace::Subject, regions(n, near)),
            (LabelSpace::Mni, regions(n, |_| None)),
            (LabelSpace::Mni, regions(n, |_| Some([f64::NAN; 3]))),
        ] {
            assert_eq!(
                match_label_keys(&atlas, &place, space).unwrap(),
                expected,
                "{name}"
            );
        }
    }
}

#[test]
fn a_key_without_a_voxel_is_a_missing_roi() {
    let atlas = schaefer("schaefer-100-7");
    let mut found = regions(100, |roi| centre(&atlas, roi));
    found.remove(&3);
    found.get_mut(&7).unwrap().n = 0;
    let keys = match_label_keys(&atlas, &found, LabelSpace::Mni).unwrap();
    assert_eq!(keys[&4], 3);
    assert_eq!(
        missing(&atlas, keys.into_values()),
        ["7Networks_LH_Vis_3", "7Networks_LH_Vis_7"]
    );
}

#[test]
fn keys_beyond_the_rois_are_refused() {
    let atlas = schaefer("schaefer-100-7");
    for (n, other_atlas) in [(200, Some("schaefer-200-7")), (120, None)] {
        let expected = LabelProblem::KeysAbove {
            keys: (101..=n).collect(),
            n_rois: 100,
            other_atlas,
        };
        let found = refused(&atlas, &regions(n, |_| None), LabelSpace::Mni);
        assert_eq!(found, expected);
    }
    let none = refused(&atlas, &BTreeMap::new(), LabelSpace::Mni);
    assert_eq!(none, LabelProblem::NoLabel);
}

#[test]
fn keys_that_are_off_by_one_are_refused() {
    let atlas = schaefer("schaefer-100-7");
    let mut up = regions(101, |_| None);
    up.remove(&1);
    let from_two = LabelProblem::KeysFromTwo {
        last: 101,
        expected: 100,
    };
    assert_eq!(refused(&atlas, &up, LabelSpace::Mni), from_two);

    let mut down = regions(99, |_| None);
    down.insert(
        0,
        LabelRegion {
            n: 400,
            centroid_mm: None,
        },
    );
    let from_zero = LabelProblem::KeysFromZero { last: 99 };
    assert_eq!(refused(&atlas, &down, LabelSpace::Mni), from_zero);

    // A background is far larger; then only the last ROI is missing.
    down.insert(
        0,
        LabelRegion {
            n: 400_000,
            centroid_mm: None,
        },
    );
    assert_eq!(
        match_label_keys(&atlas, &down, LabelSpace::Mni)
            .unwrap()
            .len(),
        99
    );
}

#[test]
fn places_tell_keys_that_are_off_by_one() {
    let atlas = schaefer("schaefer-400-7");
    let after = |roi: usize| centre(&atlas, roi + 1);
    let found = refused(&atlas, &regions(399, after), LabelSpace::Mni);
    assert_eq!(found, LabelProblem::OneLow);
    let before = |roi: usize| centre(&atlas, roi.checked_sub(1)?);
    let found = refused(&atlas, &regions(400, before), LabelSpace::Mni);
    assert_eq!(found, LabelProblem::OneHigh);
}

#[test]
fn places_tell_the_order_of_the_other_number_of_networks() {
    let (seven, seventeen) = (schaefer("schaefer-100-7"), schaefer("schaefer-100-17"));
    let of_seventeen = regions(100, |roi| centre(&seventeen, roi));
    let found = refused(&seven, &of_seventeen, LabelSpace::Mni);
    let atlas = "schaefer-100-17";
    assert_eq!(found, LabelProblem::OtherOrder { atlas });
}

#[test]
fn places_tell_exchanged_sides() {
    let atlas = schaefer("schaefer-100-7");
    let right_first = regions(100, |roi| centre(&atlas, (roi + 50) % 100));
    let found = refused(&atlas, &right_first, LabelSpace::Mni);
    assert_eq!(found, LabelProblem::RightFirst);

    let mirrored = regions(100, |roi| centre(&atlas, roi).map(|[r, a, s]| [-r, a, s]));
    let found = refused(&atlas, &mirrored, LabelSpace::Mni);
    assert_eq!(found, LabelProblem::Mirrored);

    for exchanged in [right_first, mirrored] {
        let found = refused(&atlas, &exchanged, LabelSpace::Subject);
        assert_eq!(found, LabelProblem::OtherSide);
    }
}

#[test]
fn regions_that_lie_anywhere_are_refused_in_mni_space() {
    let atlas = schaefer("schaefer-100-7");
    let anywhere = regions(100, |roi| centre(&atlas, roi * 37 % 100));
    let (_, own_place) = misplaced(refused(&atlas, &anywhere, LabelSpace::Mni));
    assert!(own_place.is_some_and(|share| share < CLEAR_MAJORITY));
}

#[test]
fn in_the_space_of_a_subject_the_middle_is_where_the_regions_are() {
    let atlas = schaefer("schaefer-100-7");
    // The origin is the corner of the image: no position is left of 0.
    let shifted = regions(100, |roi| {
        centre(&atlas, roi).map(|[r, a, s]| [r + 90.0, 0.7 * a + 120.0, s + 70.0])
    });
    assert_eq!(
        match_label_keys(&atlas, &shifted, LabelSpace::Subject)
            .unwrap()
            .len(),
        100
    );
    let (own_side, own_place) = misplaced(refused(&atlas, &shifted, LabelSpace::Mni));
    assert!(own_side.is_some() && own_place.is_some());
}

#[test]
fn one_side_alone_tells_no_middle_of_a_subject() {
    let atlas = schaefer("schaefer-100-7");
    let left = regions(50, |roi| centre(&atlas, roi));
    let keys = match_label_keys(&atlas, &left, LabelSpace::Subject).unwrap();
    assert_eq!(missing(&atlas, keys.into_values()).len(), 50);
}

#[test]
fn regions_on_either_side_at_random_are_refused_for_a_subject() {
    let atlas = schaefer("schaefer-100-7");
    let mixed = regions(100, |roi| centre(&atlas, roi * 37 % 100));
    let (own_side, own_place) = misplaced(refused(&atlas, &mixed, LabelSpace::Subject));
    assert!(own_side.is_some_and(|share| share < CLEAR_MAJORITY));
    assert_eq!(own_place, None);
}

#[test]
fn an_atlas_without_places_has_none_to_compare() {
    let atlas = crate::region::tests::atlas(&["a", "b"]);
    let found = regions(2, |roi| Some([roi as f64, 0.0, 0.0]));
    for space in [LabelSpace::Mni, LabelSpace::Subject] {
        assert_eq!(match_label_keys(&atlas, &found, space).unwrap().len(), 2);
    }
}
