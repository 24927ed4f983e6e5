//! The built-in H.264 encoder: Cisco's OpenH264, compiled in.
//!
//! Constrained Baseline at a fixed quantiser, so that every frame is as good as any other; one
//! thread, so that the same frames give the same bytes.

use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    QpRange, RateControlMode, UsageType, VuiConfig,
};
use openh264::formats::YUVSlices;

use super::yuv::Yuv;
use super::{MovieError, Quality};

/// The longer and the shorter side of the largest frame that the encoder takes.
pub(super) const LARGEST: [usize; 2] = [3840, 2160];

/// Seconds between key frames, which a player can jump to.
const KEY_SECONDS: f64 = 2.0;

/// The types of the NAL units that hold parameter sets.
const SEQUENCE: u8 = 7;
const PICTURE: u8 = 8;

/// A frame as a container stores it.
pub(super) struct Sample {
    /// NAL units, each after its length in four bytes.
    pub(super) data: Vec<u8>,
    /// Whether it is a key frame.
    pub(super) key: bool,
}

/// The encoder and its parameter sets.
pub(super) struct H264 {
    encoder: Encoder,
    pub(super) sequence: Vec<u8>,
    pub(super) picture: Vec<u8>,
}

impl H264 {
    /// An encoder for `fps` frames a second.
    pub(super) fn new(fps: f64, quality: Quality) -> Result<Self, MovieError> {
        let quantiser = match quality {
            Quality::Small => 28,
            Quality::Good => 22,
            Quality::Best => 17,
        };
        let config = EncoderConfig::new()
            .profile(Profile::Baseline)
            .usage_type(UsageType::CameraVideoRealTime)
            .complexity(Complexity::High)
            .rate_control_mode(RateControlMode::Bufferbased)
            .qp(QpRange::new(quantiser, quantiser))
            .bitrate(BitRate::from_bps(10_000_000))
            .skip_frames(false)
            .max_frame_rate(FrameRate::from_hz(fps as f32))
            .intra_frame_period(
                IntraFramePeriod::from_num_frames((fps * KEY_SECONDS).ceil() as u32),
            )
            .num_threads(1)
            .vui(VuiConfig::bt709());
        let encoder =
            Encoder::with_api_config(OpenH264API::from_source(), config).map_err(failed)?;
        Ok(Self { encoder, sequence: Vec::new(), picture: Vec::new() })
    }

    /// Encodes the next frame.
    pub(super) fn encode(&mut self, frame: &Yuv) -> Result<Sample, MovieError> {
        let half = frame.width / 2;
        let source = YUVSlices::new(
            (&frame.y, &frame.cb, &frame.cr),
            (frame.width, frame.height),
            (frame.width, half, half),
        );
        let stream = self.encoder.encode(&source).map_err(failed)?;
        let key = matches!(stream.frame_type(), FrameType::IDR);
        let mut data = Vec::new();
        for layer in (0..stream.num_layers()).filter_map(|index| stream.layer(index)) {
            for unit in (0..layer.nal_count()).filter_map(|index| layer.nal_unit(index)) {
                let unit = unit.strip_prefix(&[0]).unwrap_or(unit);
                let unit = unit.strip_prefix(&[0, 0, 1]).unwrap_or(unit);
                match unit.first().map(|head| head & 31) {
                    Some(SEQUENCE) => self.sequence = unit.to_vec(),
                    Some(PICTURE) => self.picture = unit.to_vec(),
                    Some(_) => {
                        data.extend((unit.len() as u32).to_be_bytes());
                        data.extend(unit);
                    }
                    None => {}
                }
            }
        }
        if data.is_empty() {
            return Err(MovieError::Encoder {
                encoder: "H.264",
                problem: "it skipped a frame".into(),
            });
        }
        Ok(Sample { data, key })
    }
}

fn failed(error: openh264::Error) -> MovieError {
    // The full text includes a backtrace.
    let text = error.to_string();
    let problem = text.lines().next().unwrap_or_default().to_owned();
    MovieError::Encoder { encoder: "H.264", problem }
}
