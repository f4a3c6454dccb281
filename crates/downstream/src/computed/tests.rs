use brainmae_data::BoldSeries;

use super::*;

/// Six volumes of three ROIs, the second of which is constant.
fn scan(name: &str, computed: &Computed) -> Scan {
    let values = (0..18).map(|i| {
        if i % 3 == 1 {
            4.0
        } else {
            ((i * i) % 11) as f32
        }
    });
    Scan {
        scan: name.into(),
        subject: "subject".into(),
        unit: "subject".into(),
        series: Arc::new(BoldSeries::new(values.collect(), 3, 1.0).expect("finite")),
        confounds: vec![],
        site: None,
        computed: computed.clone(),
    }
}

fn example(start_volume: usize) -> Example {
    Example {
        scan: 0,
        start_volume,
        n_volumes: 4,
    }
}

#[test]
fn connectivity_is_the_same_from_memory() {
    let nothing = scan("scan", &Computed::default());
    let computed = Computed::within_budget();
    let scan = scan("scan", &computed);
    for start in [0, 2, 0, 2] {
        let fc = computed.fc(&scan, example(start));
        assert_eq!(fc, nothing.computed.fc(&nothing, example(start)));
    }
    let held = computed.held();
    assert_eq!((held.fc.len(), held.fc_bytes), (2, 48));
    assert!(nothing.computed.held().fc.is_empty());
}

#[test]
fn above_the_budget_connectivity_is_computed_anew() {
    let computed = Computed {
        fc_bytes: 30,
        ..Computed::within_budget()
    };
    let (a, b) = (scan("a", &computed), scan("b", &computed));
    assert_eq!(computed.fc(&a, example(0)), computed.fc(&b, example(0)));
    let held = computed.held();
    let names: Vec<_> = held.fc.keys().map(|(scan, ..)| scan.to_string()).collect();
    assert_eq!((names, held.fc_bytes), (vec!["a".to_string()], 24));
}

#[test]
fn products_are_shared_by_the_same_rows_alone() {
    let computed = Computed::within_budget();
    let x = DMatrix::from_fn(3, 5, |i, j| (i * 5 + j) as f64);
    let first = computed.gram(&x);
    assert!(Arc::ptr_eq(&first, &computed.gram(&x.clone())));
    let mut other = x.clone();
    other[(2, 4)] += 1e-9;
    let changed = computed.gram(&other);
    assert!(!Arc::ptr_eq(&first, &changed));
    assert_eq!(*changed, RidgeGram::new(&other));
}

#[test]
fn the_oldest_products_are_dropped_first() {
    let computed = Computed {
        gram_bytes: 2 * 9 * 8,
        ..Computed::within_budget()
    };
    let rows = |shift: f64| DMatrix::from_fn(3, 5, |i, j| (i * j) as f64 + shift);
    let products = [0.0, 1.0, 2.0].map(|shift| computed.gram(&rows(shift)));
    assert!(Arc::ptr_eq(&products[2], &computed.gram(&rows(2.0))));
    assert!(Arc::ptr_eq(&products[1], &computed.gram(&rows(1.0))));
    assert!(!Arc::ptr_eq(&products[0], &computed.gram(&rows(0.0))));
}
