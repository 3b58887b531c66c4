//! The records of an event file: TensorFlow's framing with its checksums around the messages of `event.proto` and
//! `summary.proto`, of which only the fields are here that are written.
//!
//! A record is the length of its message as u64, the masked checksum of these 8 bytes, the message, and its masked
//! checksum, all little-endian. The crates that write such files take the time of writing for that of the event, and are
//! built on protocol buffers of years ago or need their compiler.

use std::io::{self, Write};

use prost::Message as _;

/// The first message of every file says this.
const VERSION: &str = "brain.Event:2";

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, prost::Message)]
struct Event {
    /// Seconds since 1970 (UTC).
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// `tensorflow.Summary`: everything that is said of one step.
#[derive(Clone, PartialEq, prost::Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `tensorflow.Summary.Value`: a number or an image and its name.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(oneof = "Content", tags = "2, 4")]
    pub(super) content: Option<Content>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Content {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
}

/// `tensorflow.Summary.Image`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Image {
    #[prost(int32, tag = "1")]
    pub(super) height: i32,
    #[prost(int32, tag = "2")]
    pub(super) width: i32,
    /// Number of channels.
    #[prost(int32, tag = "3")]
    pub(super) colorspace: i32,
    /// The bytes of a PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) encoded_image_string: Vec<u8>,
}

/// An event file that is being written.
pub(super) struct Records<W: Write> {
    file: W,
}

impl<W: Write> Records<W> {
    /// Begins a file of a run that began at `wall_time`, in seconds since 1970.
    pub(super) fn new(file: W, wall_time: f64) -> io::Result<Self> {
        let mut records = Self { file };
        records.record(&Event {
            wall_time,
            step: 0,
            what: Some(What::FileVersion(VERSION.to_owned())),
        })?;
        Ok(records)
    }

    /// Adds what is said of one step; nothing where there are no values.
    pub(super) fn write(&mut self, wall_time: f64, step: u64, value: Vec<Value>) -> io::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        self.record(&Event {
            wall_time,
            step: i64::try_from(step).unwrap_or(i64::MAX),
            what: Some(What::Summary(Summary { value })),
        })
    }

    fn record(&mut self, event: &Event) -> io::Result<()> {
        let message = event.encode_to_vec();
        let length = (message.len() as u64).to_le_bytes();
        self.file.write_all(&length)?;
        self.file.write_all(&masked_crc(&length).to_le_bytes())?;
        self.file.write_all(&message)?;
        self.file.write_all(&masked_crc(&message).to_le_bytes())
    }

    /// Hands on what is still in memory.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The CRC-32C of bytes, masked as TensorFlow masks it: a checksum of bytes that hold checksums would be weak.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TensorBoard's own writer makes of the same two events:
    ///
    /// ```python
    /// from tensorboard.compat.proto import event_pb2
    /// from tensorboard.summary.writer.record_writer import RecordWriter
    /// file = open("out", "wb")
    /// writer = RecordWriter(file)
    /// writer.write(event_pb2.Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString())
    /// event = event_pb2.Event(wall_time=2.25, step=300)
    /// event.summary.value.add(tag="loss/test", simple_value=0.5)
    /// image = event.summary.value.add(tag="m").image
    /// image.height, image.width, image.colorspace, image.encoded_image_string = 2, 3, 4, b"png"
    /// writer.write(event.SerializeToString())
    /// writer.close()
    /// print(open("out", "rb").read().hex())
    /// ```
    const WRITTEN: &str = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c32000000000000\
                           00241956ec09000000000000024010ac022a240a100a096c6f73732f74657374150000003f0a100a016d220b0802100\
                           318042203706e6710f4e99e";

    #[test]
    fn records_are_those_of_tensorboard() -> io::Result<()> {
        let mut file = Vec::new();
        let mut records = Records::new(&mut file, 1.5)?;
        let value = |tag: &str, content| Value {
            tag: tag.to_owned(),
            content: Some(content),
        };
        let image = Image {
            height: 2,
            width: 3,
            colorspace: 4,
            encoded_image_string: b"png".to_vec(),
        };
        let values = vec![
            value("loss/test", Content::Scalar(0.5)),
            value("m", Content::Image(image)),
        ];
        records.write(2.0, 7, Vec::new())?;
        records.write(2.25, 300, values)?;
        records.finish()?;
        let hex: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, WRITTEN);
        Ok(())
    }
}
