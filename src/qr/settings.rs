//! The settings of QR codes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use qrcode::EcLevel;
use serde::{Serialize, Serializer};

use crate::error::Result;
use crate::json::Object;
use crate::qr::picture::{Colour, Logo};

/// How QR codes are drawn.
#[derive(Debug, Serialize)]
pub(crate) struct QrSettings {
    /// Pixels per module.
    pub(crate) module_px: u32,
    /// Light modules around the symbol; ISO 18004 asks for 4.
    pub(crate) quiet_zone: u32,
    /// The share of a symbol that may be lost: 7, 15, 25 or 30 %.
    #[serde(serialize_with = "letter")]
    pub(crate) error_correction: EcLevel,
    pub(crate) dark: Colour,
    pub(crate) light: Colour,
    /// Described as whether there is one.
    #[serde(serialize_with = "is_some")]
    pub(crate) logo: Option<Logo>,
}

/// Below this ratio of luminances, scanners begin to miss modules in bad light.
const LEAST_CONTRAST: f64 = 3.0;

impl Default for QrSettings {
    fn default() -> Self {
        QrSettings {
            module_px: 10,
            quiet_zone: 5,
            error_correction: EcLevel::M,
            dark: Colour::BLACK,
            light: Colour::WHITE,
            logo: None,
        }
    }
}

impl QrSettings {
    /// Reads `qr` from the settings.
    pub(crate) fn read(config: &mut Object) -> Result<Self> {
        let defaults = QrSettings::default();
        let Some(mut qr) = config.object("qr")? else {
            return Ok(defaults);
        };
        let levels = [
            ("L", EcLevel::L),
            ("M", EcLevel::M),
            ("Q", EcLevel::Q),
            ("H", EcLevel::H),
        ];
        let error_correction = qr.choice("error_correction", &levels)?;
        let module_px = qr.integer("module_px", 1..=32)?;
        let quiet_zone = qr.integer("quiet_zone", 0..=16)?;
        let mut read = QrSettings {
            error_correction: error_correction.unwrap_or(defaults.error_correction),
            module_px: module_px.unwrap_or(defaults.module_px),
            quiet_zone: quiet_zone.unwrap_or(defaults.quiet_zone),
            light: read_colour(&mut qr, "light")?.unwrap_or(defaults.light),
            dark: read_colour(&mut qr, "dark")?.unwrap_or(defaults.dark),
            logo: None,
        };
        read.logo = read_logo(&mut qr, read.light)?;
        if read.dark.contrast_on(read.light) < LEAST_CONTRAST {
            let expected = "so much darker than light that their contrast is 3:1 or more";
            return Err(qr.wrong("dark", expected));
        }
        if read.logo.is_some() {
            read.error_correction = EcLevel::H;
        }
        qr.finish()?;
        Ok(read)
    }
}

fn read_colour(qr: &mut Object, name: &str) -> Result<Option<Colour>> {
    let Some(text) = qr.text(name)? else {
        return Ok(None);
    };
    match Colour::parse(&text) {
        Some(colour) => Ok(Some(colour)),
        None => Err(qr.wrong(name, "a colour such as #102030")),
    }
}

fn read_logo(qr: &mut Object, light: Colour) -> Result<Option<Logo>> {
    let Some(text) = qr.text("logo")? else {
        return Ok(None);
    };
    let png = BASE64.decode(text.as_bytes());
    let logo = match &png {
        Ok(png) => Logo::decode(png, light),
        Err(_) => Err("base64 of a PNG: this is no base64".into()),
    };
    let logo = logo.map_err(|expected| qr.wrong("logo", &expected));
    logo.map(Some)
}

fn is_some<S: Serializer>(
    logo: &Option<Logo>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_bool(logo.is_some())
}

fn letter<S: Serializer>(level: &EcLevel, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{level:?}"))
}
