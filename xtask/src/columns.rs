//! What a panic says of its place, less the column: file and line are enough to find it, and the columns of
//! two thousand places are 3 kB on the wire.
//!
//! A place is four words of four bytes in the module's data: where its file's name stands, how long that is,
//! line and column. It is known by a name that ends in `.rs`.

use anyhow::Result;
use wasmparser::{DataKind, Operator, Parser, Payload};

/// Bytes of a place.
const PLACE: usize = 16;

/// The module with every column 0.
///
/// # Errors
/// For bytes that are no module.
pub fn without(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut out = wasm.to_vec();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::DataSection(section) = payload? else {
            continue;
        };
        for data in section {
            let data = data?;
            let DataKind::Active { offset_expr, .. } = &data.kind else {
                continue;
            };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else {
                continue;
            };
            let at = data.range.end - data.data.len();
            for place in places(data.data, value.cast_unsigned() as usize) {
                out[at + place + 12..at + place + PLACE].fill(0);
            }
        }
    }
    Ok(out)
}

/// Where places begin in data that lies at `base` in memory.
fn places(data: &[u8], base: usize) -> impl Iterator<Item = usize> + '_ {
    let word = |at: usize| {
        let bytes = data.get(at..at + 4).and_then(|b| b.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes) as usize
    };
    let is = move |at: &usize| {
        let [name, length, line, column] = [0, 4, 8, 12].map(|i| word(at + i));
        let from = name.checked_sub(base);
        let text = from.and_then(|from| data.get(from..from.checked_add(length)?));
        text.is_some_and(|t| t.ends_with(b".rs") && t.len() < 200)
            && (1..100_000).contains(&line)
            && (1..2_000).contains(&column)
    };
    (0..data.len().saturating_sub(PLACE - 1))
        .step_by(4)
        .filter(is)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{ConstExpr, DataSection, MemorySection, MemoryType, Module};

    #[test]
    fn columns_are_left_out_and_nothing_else() {
        // A file's name, a place in it, the same numbers about no file, and a text.
        let base = 1024_u32;
        let mut data = b"src/place.rsxxxx".to_vec();
        let words = |all: [u32; 4]| {
            all.iter()
                .flat_map(|w| w.to_le_bytes())
                .collect::<Vec<u8>>()
        };
        data.extend(words([base, 12, 77, 9]));
        data.extend(words([base, 11, 77, 9]));
        data.extend(b"and a text");
        let mut module = Module::new();
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut section = DataSection::new();
        section.active(0, &ConstExpr::i32_const(1024), data);
        module.section(&memory).section(&section);
        let before = module.finish();
        let after = without(&before).unwrap();
        let differ: Vec<usize> = (0..before.len())
            .filter(|i| before[*i] != after[*i])
            .collect();
        assert_eq!((before.len(), differ.len()), (after.len(), 1));
        assert_eq!((before[differ[0]], after[differ[0]]), (9, 0));
        // Once more there is nothing to do; and what is no module is refused.
        assert_eq!(without(&after).unwrap(), after);
        assert!(without(b"\0asm\x01\0\0\0\x0b\xff").is_err());
    }
}
