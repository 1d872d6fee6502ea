//! Round trips, damage, and writes cut off at every moment.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::protocol::{ClassLlc, DeviceInfo, DeviceKind, LlcPoint, Notice, SeriesDelta};
use std::rc::Rc;

fn record(step: u64) -> Record {
    let x = step as f64;
    Record {
        link: "#/induction?v=1&seed=7".into(),
        version: crate::VERSION.into(),
        step,
        steps: 1800,
        device: DeviceInfo {
            kind: DeviceKind::Cpu,
            name: "CPU “λ”".into(),
            software: false,
        },
        follow: 1,
        tensors: vec![
            Named {
                name: "params".into(),
                shape: vec![2, 3],
                data: vec![1.5, -0.0, f32::MIN_POSITIVE, 3.0, x as f32, 0.1].into(),
            },
            Named {
                name: "adamw.m".into(),
                shape: vec![0],
                data: Rc::default(),
            },
        ],
        series: vec![
            SeriesDelta {
                id: "loss".into(),
                from: 0,
                x: vec![0.0, x],
                y: vec![4.85, 0.1 + 0.2],
                lo: vec![],
                hi: vec![],
            },
            SeriesDelta {
                id: "replicas/1/loss".into(),
                ..SeriesDelta::default()
            },
        ],
        llc: vec![
            LlcPoint {
                step: 50,
                value: -1.25,
                se: 0.1,
                per_chain: vec![1.0, -3.5],
                rhat: Some(1.01),
                accept: vec![0.25],
                failed: vec![4, 7],
                failed_chains: 2,
                polished: Some([0.1, 0.02]),
                classes: vec![ClassLlc {
                    name: "first".into(),
                    value: 0.1,
                    se: 0.01,
                }],
                warnings: vec!["R̂ …".into()],
                ..LlcPoint::default()
            },
            LlcPoint {
                step: 100,
                value: 7.0,
                init_loss: f64::MAX,
                ..LlcPoint::default()
            },
        ],
        pca: vec![(0, vec![1.0, 2.0].into()), (50, vec![3.0, -4.0].into())],
        notices: vec![Notice::about("heads", "heads: 3 …")],
        extra: [("segment".to_string(), "2".to_string())].into(),
    }
}

#[test]
fn a_record_reads_back_as_it_was() {
    let bytes = encode(&record(100), 9).unwrap();
    assert_eq!(decode(&bytes), Ok((9, record(100))));
    // Bits, not values: the sign of zero is kept.
    let (_, back) = decode(&bytes).unwrap();
    assert!(back.tensor("params").unwrap().data[1].is_sign_negative());
}

#[test]
fn numbers_that_are_not_finite_are_kept_too() {
    let mut r = record(100);
    r.series[0].y[1] = f64::NAN;
    r.llc[0].se = f64::INFINITY;
    let (_, back) = decode(&encode(&r, 0).unwrap()).unwrap();
    assert!(back.series[0].y[1].is_nan() && back.llc[0].se.is_infinite());
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let good = encode(&record(100), 9).unwrap();
    for n in 0..good.len() {
        assert!(decode(&good[..n]).is_err(), "cut at {n}");
        for bit in [0x01, 0x10, 0x80] {
            let mut bad = good.clone();
            bad[n] ^= bit;
            // A change that means the same (such as the order of JSON keys) would be no damage.
            assert!(
                decode(&bad).is_err() || decode(&bad) == decode(&good),
                "byte {n} ^ {bit}"
            );
        }
    }
    // In the numbers themselves nothing but the checksum can tell.
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    assert_eq!(
        decode(&bad),
        Err(StoreError::Corrupt("its checksum is wrong".into()))
    );
    assert!(decode(b"").is_err() && decode(&[0xff; 64]).is_err());
    let mut long = good;
    long.push(0);
    assert!(decode(&long).is_err());
}

#[test]
fn impossible_records_are_refused() {
    let mut shape = record(1);
    shape.tensors[0].shape = vec![7];
    assert!(matches!(encode(&shape, 0), Err(StoreError::Refused(_))));
    let mut twice = record(1);
    twice.tensors[1] = twice.tensors[0].clone();
    assert!(matches!(encode(&twice, 0), Err(StoreError::Refused(_))));
    let mut other = record(1);
    other.version = "0.0.0".into();
    assert_eq!(
        decode(&encode(&other, 0).unwrap()),
        Err(StoreError::Version("0.0.0".into()))
    );
}

/// What is left of a store whose write of `record` was cut off: `stage` 0 before anything, 1 inside
/// the record, 2 after it, 3 inside the manifest, 4 after that.
fn cut_off(
    disk: &mut [Option<Vec<u8>>; 3],
    record: &Record,
    stage: usize,
    spare_the_current: bool,
) {
    let manifest = disk[2].as_deref().and_then(Manifest::read);
    let mut next = Manifest::next(manifest.as_ref(), record);
    if !spare_the_current {
        next.slot = 0;
    }
    let bytes = encode(record, next.seq).unwrap();
    let torn = |b: &[u8]| Some(b[..b.len() / 2].to_vec());
    if stage >= 1 {
        disk[next.slot] = torn(&bytes);
    }
    if stage >= 2 {
        disk[next.slot] = Some(bytes);
    }
    if stage >= 3 {
        disk[2] = torn(&next.bytes());
    }
    if stage >= 4 {
        disk[2] = Some(next.bytes());
    }
}

fn load(disk: &[Option<Vec<u8>>; 3]) -> Option<u64> {
    let manifest = disk[2].as_deref().and_then(Manifest::read);
    let found = choose(manifest.as_ref(), [disk[0].as_deref(), disk[1].as_deref()]);
    found.ok().flatten().map(|(_, r)| r.step)
}

#[test]
fn a_write_cut_off_at_any_moment_leaves_a_whole_record() {
    for saved in 1..4u64 {
        for stage in 0..5 {
            let mut disk = [None, None, None];
            (1..=saved).for_each(|s| cut_off(&mut disk, &record(s), 4, true));
            assert_eq!(load(&disk), Some(saved));
            cut_off(&mut disk, &record(saved + 1), stage, true);
            let left = load(&disk).unwrap();
            assert!(
                left == saved || left == saved + 1,
                "{saved} {stage}: {left}"
            );
            if stage == 4 {
                assert_eq!(left, saved + 1);
            }
        }
    }
    // Planted: a store that overwrites its only file loses the run.
    let mut disk = [None, None, None];
    cut_off(&mut disk, &record(1), 4, false);
    cut_off(&mut disk, &record(2), 1, false);
    assert_eq!(load(&disk), None);
}

#[cfg(not(target_arch = "wasm32"))]
mod folder {
    use super::super::checkpoint::checkpoint;
    use super::super::native::{NativeStore, write_checkpoint};
    use super::*;
    use crate::tensor::Arena;
    use safetensors::SafeTensors;

    fn fresh(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("lambdahat-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn a_folder_keeps_a_run() {
        let folder = fresh("store");
        let mut store = NativeStore::open(&folder).unwrap();
        assert_eq!((store.stored(), store.load()), (None, Ok(None)));
        store.save(&record(50)).unwrap();
        store.save(&record(100)).unwrap();
        let again = NativeStore::open(&folder).unwrap();
        assert_eq!(again.stored().unwrap().step, 100);
        assert_eq!(again.load(), Ok(Some(record(100))));
        // The later record is torn, the manifest still names it: the older one is found, and the
        // next write spares it.
        std::fs::write(folder.join(SLOTS[1]), b"torn").unwrap();
        let mut again = NativeStore::open(&folder).unwrap();
        assert_eq!(again.load(), Ok(Some(record(50))));
        again.save(&record(150)).unwrap();
        assert!(decode(&std::fs::read(folder.join(SLOTS[0])).unwrap()).is_ok());
        assert_eq!(again.load(), Ok(Some(record(150))));
        again.forget().unwrap();
        assert_eq!(NativeStore::open(&folder).unwrap().stored(), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn checkpoints_carry_names_and_shapes() {
        let mut arena = Arena::default();
        arena.push("embed.W_E", &[2, 2]);
        arena.push("blocks.0.attn.W_Q", &[1, 2, 1]);
        let weights: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let folder = fresh("checkpoint");
        let path = write_checkpoint(
            &folder,
            7,
            &checkpoint(&arena, &weights[..6], &[], &[("link", "#/x".into())]).unwrap(),
        )
        .unwrap();
        assert!(path.ends_with("checkpoints/step-7.safetensors"));
        let bytes = std::fs::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let w_q = file.tensor("blocks.0.attn.W_Q").unwrap();
        assert_eq!(w_q.shape(), [1, 2, 1]);
        assert_eq!(
            w_q.data(),
            [4f32.to_le_bytes(), 5f32.to_le_bytes()].concat()
        );
        let both = checkpoint(&arena, &weights, &[], &[]).unwrap();
        let w_q = SafeTensors::deserialize(&both)
            .unwrap()
            .tensor("blocks.0.attn.W_Q")
            .unwrap();
        assert_eq!(w_q.shape(), [2, 1, 2, 1]);
        assert_eq!(w_q.data()[8..12], 10f32.to_le_bytes());
        // There is no unembedding of its own: the embedding's, turned, model by model.
        let w_u = SafeTensors::deserialize(&both).unwrap();
        let w_u = w_u.tensor("unembed.W_U").unwrap();
        let want = [0f32, 2., 1., 3., 6., 8., 7., 9.]
            .map(f32::to_le_bytes)
            .concat();
        assert_eq!((w_u.shape(), w_u.data()), (&[2, 2, 2][..], &want[..]));
        assert!(checkpoint(&arena, &weights[..5], &[], &[]).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
