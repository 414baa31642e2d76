//! Zigzag varints as records use them. Answers to Kafka's `ByteUtils`: a 32-bit value takes at most
//! five bytes, a 64-bit one at most ten, and longer ones are refused.

use super::RecordFault;

/// Reads a zigzag `i32` and returns it with the bytes it took.
#[inline]
pub fn read_i32(bytes: &[u8]) -> Result<(i32, usize), RecordFault> {
    if let Some(&first) = bytes.first()
        && first < 0x80
    {
        return Ok(((i32::from(first) >> 1) ^ -(i32::from(first) & 1), 1));
    }
    let mut value: u32 = 0;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((((value >> 1) as i32) ^ -((value & 1) as i32), index + 1));
        }
    }
    Err(if bytes.len() < 5 { RecordFault::Truncated } else { RecordFault::VarintTooLong })
}

/// Reads a zigzag `i64` and returns it with the bytes it took.
#[inline]
pub fn read_i64(bytes: &[u8]) -> Result<(i64, usize), RecordFault> {
    if let Some(&first) = bytes.first()
        && first < 0x80
    {
        return Ok(((i64::from(first) >> 1) ^ -(i64::from(first) & 1), 1));
    }
    let mut value: u64 = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok((((value >> 1) as i64) ^ -((value & 1) as i64), index + 1));
        }
    }
    Err(if bytes.len() < 10 { RecordFault::Truncated } else { RecordFault::VarintTooLong })
}

pub fn write_i32(value: i32, out: &mut Vec<u8>) {
    write_unsigned(u64::from(((value << 1) ^ (value >> 31)) as u32), out);
}

pub fn write_i64(value: i64, out: &mut Vec<u8>) {
    write_unsigned(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Bytes that `value` takes as a zigzag varint.
#[must_use]
pub fn len_i32(value: i32) -> usize {
    len_unsigned(u64::from(((value << 1) ^ (value >> 31)) as u32))
}

/// Bytes that `value` takes as a zigzag varint.
#[must_use]
pub fn len_i64(value: i64) -> usize {
    len_unsigned(((value << 1) ^ (value >> 63)) as u64)
}

fn write_unsigned(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn len_unsigned(value: u64) -> usize {
    ((64 - (value | 1).leading_zeros()) as usize).div_ceil(7)
}
