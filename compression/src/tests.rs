//! Every codec gives back what it was given, and none gives more than it may.

use std::io::{Read, Write};

use protocol::batch::Compression;

use super::*;

const CODECS: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

fn compress(codec: Compression, bytes: &[u8]) -> Vec<u8> {
    let level = if codec == Compression::Zstd { 3 } else { -1 };
    let mut compressor = Compressor::new(codec, level, usize::MAX).unwrap();
    for piece in bytes.chunks(7919) {
        compressor.write(piece).unwrap();
    }
    compressor.finish().unwrap()
}

#[test]
fn what_is_compressed_decompresses_to_the_same() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number / 7 % 251) as u8).collect();
    for codec in CODECS {
        assert_eq!(decompress(codec, &compress(codec, &bytes)).unwrap(), bytes, "{codec:?}");
    }
}

#[test]
fn a_bare_snappy_block_is_read_too() {
    let block = snap::raw::Encoder::new().compress_vec(b"bare bare bare").unwrap();
    assert_eq!(decompress(Compression::Snappy, &block).unwrap(), b"bare bare bare");
}

#[test]
fn a_snappy_chunk_that_announces_the_impossible_is_refused_before_memory_is_taken() {
    // A varint of 2^31 - 1 and nothing behind it.
    let mut payload = Vec::new();
    snappy::write_header(&mut payload);
    payload.extend_from_slice(&5_i32.to_be_bytes());
    payload.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x07]);
    assert!(decompress(Compression::Snappy, &payload).is_err());
    let mut length = payload[..16].to_vec();
    length.extend_from_slice(&i32::MAX.to_be_bytes());
    assert!(decompress(Compression::Snappy, &length).is_err());
}

#[test]
fn damaged_streams_end_in_an_error_or_in_other_bytes_never_in_a_panic() {
    let bytes: Vec<u8> = (0..2000_u32).map(|number| (number % 13) as u8).collect();
    for codec in CODECS {
        let payload = compress(codec, &bytes);
        for position in 0..payload.len() {
            let mut damaged = payload.clone();
            damaged[position] ^= 0xff;
            let _ = decompress(codec, &damaged);
            let _ = decompress(codec, &payload[..position]);
        }
    }
}

#[test]
fn a_source_stops_at_its_limit() {
    let payload = compress(Compression::Zstd, &vec![0; 10_000_000]);
    let decompressor = Decompressor::new(Compression::Zstd, &payload).unwrap();
    let mut source = ByteSource::new(decompressor, 1_000_000);
    assert!(matches!(source.skip(10_000_000), Err(SourceError::Limit(1_000_000))));
}

#[test]
fn a_compressor_stops_at_its_limit() {
    for codec in CODECS {
        let mut compressor = Compressor::new(codec, 1, 1000).unwrap();
        let noise: Vec<u8> = (0..500_000_u32)
            .map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let result = compressor.write(&noise).and_then(|()| compressor.finish().map(drop));
        assert!(result.is_err(), "{codec:?}");
    }
}

#[test]
fn a_zstd_frame_with_a_large_window_gets_a_small_limit() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    io::copy(&mut io::repeat(0).take(40_000_000), &mut encoder).unwrap();
    let payload = encoder.finish().unwrap();
    assert_eq!(zstd_window(&payload), 1 << 27);
    assert_eq!(decompressed_limit(Compression::Zstd, &payload), WINDOW_BYTES_MAX);
    assert!(decompress(Compression::Zstd, &payload).is_err());
    let small = compress(Compression::Zstd, &[7; 100_000]);
    assert_eq!(decompressed_limit(Compression::Zstd, &small), DECOMPRESSED_BYTES_MAX);
}

/// What the library's own frame reader makes of a frame.
fn by_library(payload: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    lz4::Decoder::new(payload).unwrap().read_to_end(&mut out).ok().map(|_| out)
}

fn by_blocks(payload: &[u8], piece: usize) -> Option<Vec<u8>> {
    let mut decoder = lz4_blocks::Decoder::new(payload)?;
    let (mut out, mut room) = (Vec::new(), vec![0; piece]);
    loop {
        match decoder.read(&mut room).ok()? {
            0 => return Some(out),
            count => out.extend_from_slice(&room[..count]),
        }
    }
}

/// Two blocks that compress, one that does not, and a bit.
fn frame_of_all_kinds() -> (Vec<u8>, Vec<u8>) {
    let noise = |number: u32| (number.wrapping_mul(2_654_435_761) >> 13) as u8;
    let bytes: Vec<u8> = (0..200_000_u32)
        .map(|number| if number < 131_072 { (number / 7 % 251) as u8 } else { noise(number) })
        .collect();
    (compress(Compression::Lz4, &bytes), bytes)
}

#[test]
fn lz4_blocks_give_what_the_library_gives_however_they_are_read() {
    let (payload, bytes) = frame_of_all_kinds();
    assert_eq!(by_library(&payload).as_ref(), Some(&bytes));
    for piece in [1, 1000, 65_535, 65_536, 131_072] {
        assert_eq!(by_blocks(&payload, piece).as_ref(), Some(&bytes), "{piece}");
    }
    let mut followed = payload.clone();
    followed.extend_from_slice(&payload);
    assert_eq!(by_blocks(&followed, 131_072), by_library(&followed));
}

#[test]
fn damaged_and_cut_lz4_frames_end_alike_for_both_readers() {
    let (payload, _) = frame_of_all_kinds();
    let mut small = compress(Compression::Lz4, b"a small one, a small one, a small one");
    small.extend_from_slice(b"what follows");
    for position in 7..small.len() {
        assert_eq!(by_blocks(&small[..position], 131_072), by_library(&small[..position]));
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = small.clone();
            damaged[position] ^= flip;
            assert_eq!(by_blocks(&damaged, 131_072), by_library(&damaged), "{position} {flip:x}");
        }
    }
    for position in (7..payload.len()).step_by(997) {
        assert_eq!(by_blocks(&payload[..position], 131_072), by_library(&payload[..position]));
        let mut damaged = payload.clone();
        damaged[position] ^= 0x55;
        assert_eq!(by_blocks(&damaged, 131_072), by_library(&damaged), "{position}");
    }
}

#[test]
fn lz4_frames_of_another_kind_are_left_to_the_library() {
    let large = lz4::EncoderBuilder::new().block_size(lz4::BlockSize::Max4MB).build(vec![]);
    let mut encoder = large.unwrap();
    encoder.write_all(&[7; 100_000]).unwrap();
    let (payload, finished) = encoder.finish();
    finished.unwrap();
    assert!(lz4_blocks::Decoder::new(&payload).is_none());
    assert_eq!(decompress(Compression::Lz4, &payload).unwrap(), [7; 100_000]);
}
