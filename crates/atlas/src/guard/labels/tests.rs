use super::*;
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

/// The regions of keys from 1, each with the place that `place` gives.
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

fn refused(atlas: &Atlas, regions: &BTreeMap<u32, LabelRegion>, space: LabelSpace) -> String {
    match_label_keys(atlas, regions, space)
        .unwrap_err()
        .to_string()
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
    let error = match_label_table(&atlas, &rows).unwrap_err().to_string();
    assert!(error.contains("key 0 is the background"), "{error}");
    rows[0].0 = 7;
    let error = match_label_table(&atlas, &rows).unwrap_err().to_string();
    assert!(error.contains("key 7 stands for"), "{error}");
    let error = match_label_table(&atlas, &[]).unwrap_err().to_string();
    assert!(error.contains("none is a name"), "{error}");
}

#[test]
fn keys_from_1_are_the_rois_in_order() {
    for name in builtin::names() {
        let atlas = schaefer(name);
        let n = atlas.n_rois() as u32;
        let expected: BTreeMap<u32, usize> = (1..=n).zip(0..).collect();
        // Places a few mm off, as those of voxels are from those of the surface.
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
    for (n, word) in [
        (200, "is it an image of schaefer-200-7?"),
        (120, "101, 102, 103, 104, 105, …"),
    ] {
        let error = refused(&atlas, &regions(n, |_| None), LabelSpace::Mni);
        assert!(error.contains(word), "{error}");
    }
    let error = refused(&atlas, &BTreeMap::new(), LabelSpace::Mni);
    assert!(error.contains("no voxel or vertex has a label"), "{error}");
}

#[test]
fn keys_that_are_off_by_one_are_refused() {
    let atlas = schaefer("schaefer-100-7");
    let mut up = regions(101, |_| None);
    up.remove(&1);
    let error = refused(&atlas, &up, LabelSpace::Mni);
    assert!(error.contains("subtract 1"), "{error}");

    let mut down = regions(99, |_| None);
    down.insert(
        0,
        LabelRegion {
            n: 400,
            centroid_mm: None,
        },
    );
    let error = refused(&atlas, &down, LabelSpace::Mni);
    assert!(error.contains("add 1"), "{error}");

    // A background is far larger; then the last ROI is missing and no more.
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
    let error = refused(
        &atlas,
        &regions(399, |roi| centre(&atlas, roi + 1)),
        LabelSpace::Mni,
    );
    assert!(error.contains("key k lies where ROI k + 1 is"), "{error}");
    let before = |roi: usize| centre(&atlas, roi.checked_sub(1)?);
    let error = refused(&atlas, &regions(400, before), LabelSpace::Mni);
    assert!(error.contains("key k lies where ROI k - 1 is"), "{error}");
}

#[test]
fn places_tell_the_order_of_the_other_number_of_networks() {
    let (seven, seventeen) = (schaefer("schaefer-100-7"), schaefer("schaefer-100-17"));
    let error = refused(
        &seven,
        &regions(100, |roi| centre(&seventeen, roi)),
        LabelSpace::Mni,
    );
    assert!(error.contains("those of schaefer-100-17 do"), "{error}");
}

#[test]
fn places_tell_exchanged_sides() {
    let atlas = schaefer("schaefer-100-7");
    let right_first = regions(100, |roi| centre(&atlas, (roi + 50) % 100));
    let error = refused(&atlas, &right_first, LabelSpace::Mni);
    assert!(
        error.contains("the right hemisphere comes first"),
        "{error}"
    );

    let mirrored = regions(100, |roi| centre(&atlas, roi).map(|[r, a, s]| [-r, a, s]));
    let error = refused(&atlas, &mirrored, LabelSpace::Mni);
    assert!(error.contains("the image is mirrored"), "{error}");

    for exchanged in [right_first, mirrored] {
        let error = refused(&atlas, &exchanged, LabelSpace::Subject);
        assert!(error.contains("on the other side of the brain"), "{error}");
    }
}

#[test]
fn regions_that_lie_anywhere_are_refused_in_mni_space() {
    let atlas = schaefer("schaefer-100-7");
    let anywhere = regions(100, |roi| centre(&atlas, roi * 37 % 100));
    let error = refused(&atlas, &anywhere, LabelSpace::Mni);
    assert!(error.contains("do not lie where the ROIs do"), "{error}");
}

#[test]
fn in_the_space_of_a_subject_the_middle_is_where_the_regions_are() {
    let atlas = schaefer("schaefer-100-7");
    // The corner of the image as origin: no place is left of 0.
    let shifted = regions(100, |roi| {
        centre(&atlas, roi).map(|[r, a, s]| [r + 90.0, 0.7 * a + 120.0, s + 70.0])
    });
    assert_eq!(
        match_label_keys(&atlas, &shifted, LabelSpace::Subject)
            .unwrap()
            .len(),
        100
    );
    let error = refused(&atlas, &shifted, LabelSpace::Mni);
    assert!(error.contains("do not lie where the ROIs do"), "{error}");
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
    let error = refused(&atlas, &mixed, LabelSpace::Subject);
    assert!(
        error.contains("% are on their own side, expected 90 %"),
        "{error}"
    );
}

#[test]
fn an_atlas_without_places_has_none_to_compare() {
    let atlas = crate::region::tests::atlas(&["a", "b"]);
    let found = regions(2, |roi| Some([roi as f64, 0.0, 0.0]));
    for space in [LabelSpace::Mni, LabelSpace::Subject] {
        assert_eq!(match_label_keys(&atlas, &found, space).unwrap().len(), 2);
    }
}
