use std::collections::BTreeSet;

use brainmae_files::InvalidField;

use super::*;
use crate::naming::Key;

fn all() -> impl Iterator<Item = Atlas> {
    names().map(|name| atlas(name).unwrap())
}

fn network_ranges(atlas: &Atlas) -> Vec<(Hemisphere, &str, usize)> {
    let mut ranges: Vec<(Hemisphere, &str, usize)> = Vec::new();
    for roi in &atlas.rois {
        let (side, network) = (roi.hemisphere.unwrap(), roi.network.as_deref().unwrap());
        match ranges.last_mut() {
            Some((last_side, last, n)) if (*last_side, *last) == (side, network) => *n += 1,
            _ => ranges.push((side, network, 1)),
        }
    }
    ranges
}

#[test]
fn a_hundred_rois_in_7_networks_have_the_published_ranges() {
    // Schaefer2018_100Parcels_7Networks_order: left 1-9, 10-15, …, right 51-58, 59-66, ….
    let networks = [
        "Vis",
        "SomMot",
        "DorsAttn",
        "SalVentAttn",
        "Limbic",
        "Cont",
        "Default",
    ];
    let left = [9, 6, 8, 7, 3, 4, 13];
    let right = [8, 8, 7, 5, 2, 9, 11];
    let expected: Vec<_> = [(Hemisphere::Left, left), (Hemisphere::Right, right)]
        .into_iter()
        .flat_map(|(side, counts)| {
            networks
                .into_iter()
                .zip(counts)
                .map(move |(n, c)| (side, n, c))
        })
        .collect();
    assert_eq!(network_ranges(&atlas("schaefer-100-7").unwrap()), expected);
}

#[test]
fn names_are_those_since_v0_14_3() {
    let atlas = atlas("schaefer-100-7").unwrap();
    assert_eq!(atlas.version, "v0.14.3");
    for (number, name) in [
        (1, "7Networks_LH_Vis_1"),
        (22, "7Networks_LH_DorsAttn_PrCv_1"),
        (23, "7Networks_LH_DorsAttn_FEF_1"),
        (40, "7Networks_LH_Default_Par_1"),
        (51, "7Networks_RH_Vis_1"),
        (100, "7Networks_RH_Default_pCunPCC_2"),
    ] {
        assert_eq!(atlas.rois[number - 1].name, name);
    }
}

#[test]
fn every_atlas_is_whole_with_its_left_half_first() {
    for (atlas, builtin) in all().zip(&BUILTINS) {
        atlas.check().unwrap();
        assert_eq!(atlas.n_rois(), builtin.n_rois, "{}", atlas.name);
        assert_eq!(
            atlas.name,
            format!("schaefer-{}-{}", builtin.n_rois, builtin.networks.number())
        );
        for (at, roi) in atlas.rois.iter().enumerate() {
            let [r, a, s] = roi.centroid_mm.unwrap();
            let (side, letters) = if at < atlas.n_rois() / 2 {
                (Hemisphere::Left, "_LH_")
            } else {
                (Hemisphere::Right, "_RH_")
            };
            assert_eq!(roi.hemisphere, Some(side), "{}", roi.name);
            assert!(roi.name.contains(letters), "{}", roi.name);
            assert_eq!(r < 0.0, side == Hemisphere::Left, "{}", roi.name);
            assert!(r.abs() < 75.0 && (-110.0..75.0).contains(&a) && (-55.0..85.0).contains(&s));
        }
    }
}

#[test]
fn seventeen_networks_have_their_own_names() {
    let networks: BTreeSet<String> = atlas("schaefer-400-17")
        .unwrap()
        .rois
        .into_iter()
        .filter_map(|roi| roi.network)
        .collect();
    assert_eq!(networks.len(), 17);
    assert!(networks.contains("VisCent") && networks.contains("TempPar"));
}

#[test]
fn centres_lie_near_the_published_ones() {
    // CBIG, Schaefer2018_100Parcels_7Networks_order_FSLMNI152_2mm.Centroid_RAS.csv. Their centroids
    // are of grey-matter voxels, ours are of the pial surface.
    let atlas = atlas("schaefer-100-7").unwrap();
    for (number, published) in [
        (1, [-26.0, -34.0, -18.0]),
        (51, [32.0, -32.0, -22.0]),
        (100, [6.0, -52.0, 30.0]),
    ] {
        let centre = atlas.rois[number - 1].centroid_mm.unwrap();
        let squared: f32 = centre
            .iter()
            .zip(published)
            .map(|(x, y)| (x - y).powi(2))
            .sum();
        assert!(squared.sqrt() < 4.0, "{number}: {centre:?}");
    }
}

#[test]
fn the_two_orders_are_one_to_one_and_keep_the_places() {
    for pair in BUILTINS.chunks(2) {
        let (seven, seventeen) = (&pair[0], &pair[1]);
        let order: BTreeSet<usize> = seventeen.order().into_iter().collect();
        assert!(order.into_iter().eq(0..seventeen.n_rois));
        assert_eq!(seven.other_order().name, seventeen.name);
        assert_eq!(seventeen.other_order().name, seven.name);
        let [a, b] = [seven, seventeen].map(|builtin| atlas(builtin.name).unwrap());
        for (row, place) in seventeen.order().into_iter().enumerate() {
            assert_eq!(a.rois[row].centroid_mm, b.rois[place].centroid_mm);
            assert_eq!(a.rois[row].hemisphere, b.rois[place].hemisphere);
        }
    }
}

#[test]
fn no_two_regions_share_a_name_of_one_generation() {
    for builtin in &BUILTINS {
        for old in [false, true] {
            let keys: BTreeSet<String> = builtin
                .regions()
                .iter()
                .map(|region| Key::of(region.name(builtin.networks, old)).rest)
                .collect();
            assert_eq!(keys.len(), builtin.n_rois, "{} old: {old}", builtin.name);
        }
    }
}

#[test]
fn as_many_names_changed_as_the_two_releases_differ_in() {
    // Counts from the two sources, computed by derive.py.
    let renamed = BUILTINS.iter().map(|builtin| {
        let regions = builtin.regions().iter();
        regions
            .filter(|region| {
                region.name(builtin.networks, true) != region.name(builtin.networks, false)
            })
            .count()
    });
    assert!(renamed.eq([19, 31, 36, 71, 48, 103, 66, 148]));
}

#[test]
fn every_roi_has_vertices_on_its_own_side_alone() {
    for name in names() {
        let n = atlas(name).unwrap().n_rois() as u32;
        let labels = surface_labels(name).unwrap();
        assert!(labels.voxels.is_empty());
        for (side, rois) in [(&labels.left, 1..=n / 2), (&labels.right, n / 2 + 1..=n)] {
            assert_eq!(side.len(), N_VERTICES);
            let found: BTreeSet<u32> = side.iter().copied().filter(|label| *label > 0).collect();
            assert!(found.into_iter().eq(rois), "{name}");
        }
    }
}

#[test]
fn a_vertex_is_the_same_region_in_both_orders() {
    let (seven, seventeen) = ("schaefer-200-7", "schaefer-200-17");
    let [a, b] = [seven, seventeen].map(|name| surface_labels(name).unwrap());
    let [rois_a, rois_b] = [seven, seventeen].map(|name| atlas(name).unwrap().rois);
    for (label_a, label_b) in a.right.iter().zip(&b.right) {
        match (*label_a as usize, *label_b as usize) {
            (0, other) | (other, 0) => assert_eq!(other, 0),
            (x, y) => assert_eq!(rois_a[x - 1].centroid_mm, rois_b[y - 1].centroid_mm),
        }
    }
}

#[test]
fn an_unknown_name_lists_those_there_are() {
    for error in [
        atlas("schaefer-100").unwrap_err(),
        surface_labels("schaefer-100").unwrap_err(),
    ] {
        let AtlasError::Config(InvalidField {
            field: "atlas",
            found,
            expected,
        }) = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(found, "schaefer-100");
        assert!(expected.contains("schaefer-400-17"), "{expected}");
        let hint = "did you mean schaefer-100-7?";
        assert!(expected.contains(hint), "{expected}");
    }
}

#[test]
fn an_atlas_is_known_by_its_name_and_its_rois() {
    let mut atlas = atlas("schaefer-100-7").unwrap();
    assert_eq!(Builtin::of(&atlas).unwrap().name, "schaefer-100-7");
    atlas.rois[0].name = "other".into();
    assert!(Builtin::of(&atlas).is_none());
}
