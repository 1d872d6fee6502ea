//! Parts of a transformer that may move alone, for settings that choose among words.

/// The parts one layer may have.
macro_rules! layer {
    ($layer:literal: $($head:literal)*) => {
        [
            concat!("blocks.", $layer),
            concat!("blocks.", $layer, ".attn"),
            concat!("blocks.", $layer, ".mlp"),
            $(concat!("blocks.", $layer, ".attn.head.", $head)),*
        ]
    };
}

const LAYERS: [[&str; 19]; 4] = [
    layer!(0: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
    layer!(1: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
    layer!(2: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
    layer!(3: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15),
];

const WHOLE: [&str; 6] = ["all", "embed", "pos_embed", "unembed", "attn", "mlp"];

/// Every part of models up to four layers of sixteen heads, by TransformerLens names; which of them
/// a model has, [`super::Spec::mask`] says.
pub const PARTS: &[&str] = &{
    let mut out = [""; 6 + 4 * 19];
    let mut i = 0;
    while i < out.len() {
        out[i] = if i < 6 {
            WHOLE[i]
        } else {
            LAYERS[(i - 6) / 19][(i - 6) % 19]
        };
        i += 1;
    }
    out
};
