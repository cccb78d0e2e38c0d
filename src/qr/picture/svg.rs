//! A picture that scales: the outlines of the dark modules, in one path.

use std::io::{self, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD as BASE64;
use png::EncodingError;
use zeroize::Zeroizing;

use super::logo::{Placed, encoder};
use super::pixels::PixelRows;
use crate::qr::{QrSettings, Symbol};
use crate::wiped::Wiped;

/// The unit is a module. A logo is in it as the PNG that it is at the settings' scale.
pub(super) fn encode(
    symbol: &Symbol,
    rows: &PixelRows,
    settings: &QrSettings,
) -> Result<Wiped, EncodingError> {
    let side = rows.side();
    let [modules, quiet] = [side, rows.quiet_px].map(|pixels| pixels / rows.module_px);
    let logo = settings.logo.as_ref();
    let logo = logo.map(|logo| Placed::new(logo, symbol, rows));
    let mut svg = Wiped::with_capacity(4096);
    write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{side}\" height=\"{side}\" \
         viewBox=\"0 0 {modules} {modules}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{modules}\" height=\"{modules}\" fill=\"{}\"/>\
         <path fill=\"{}\" fill-rule=\"evenodd\" d=\"",
        settings.light, settings.dark
    )?;
    let is_dark = |column, row| {
        let covered = logo.as_ref().is_some_and(|logo| logo.covers(column, row));
        symbol.is_dark(column, row) && !covered
    };
    let width = symbol.width();
    Outlines { is_dark, width }.write(&mut svg, quiet)?;
    svg.write_all(b"\"/>")?;
    if let Some(logo) = logo {
        write_logo(&mut svg, &logo, rows.module_px)?;
    }
    svg.write_all(b"</svg>")?;
    Ok(svg)
}

/// The outlines of the dark modules. A corner is where one or three of four modules are dark: there an
/// outline turns. Where two touch at their corners it goes straight on, which the rule "evenodd" allows.
struct Outlines<F> {
    is_dark: F,
    /// Modules per side of the symbol, which has one more line between modules, from 0 on.
    width: usize,
}

impl<F: Fn(usize, usize) -> bool> Outlines<F> {
    fn write(&self, svg: &mut Wiped, quiet: usize) -> io::Result<()> {
        let lines = self.width + 1;
        let mut visited = Zeroizing::new(vec![false; lines * lines]);
        // The pen begins in the corner of the quiet zone, and goes back to where each outline began.
        let mut pen = [0, 0];
        for place in 0..lines * lines {
            let start = [place % lines, place / lines];
            if visited[place] || !self.is_corner(start) {
                continue;
            }
            let [x, y] = start.map(|line| line + quiet);
            write!(svg, "m{}{:+}", distance(pen[0], x), distance(pen[1], y))?;
            pen = [x, y];
            let mut at = start;
            loop {
                let across = self.next_corner(at, 0);
                write!(svg, "h{}", distance(at[0], across[0]))?;
                at = self.next_corner(across, 1);
                for [x, y] in [across, at] {
                    visited[y * lines + x] = true;
                }
                if at == start {
                    break;
                }
                write!(svg, "v{}", distance(across[1], at[1]))?;
            }
            svg.push(b'z');
        }
        Ok(())
    }

    /// Whether the modules above and below a crossing of lines, left and right of it, are dark.
    fn around(&self, [x, y]: [usize; 2]) -> [[bool; 2]; 2] {
        let is_dark = |column: Option<usize>, row: Option<usize>| {
            column
                .zip(row)
                .is_some_and(|(column, row)| (self.is_dark)(column, row))
        };
        let (columns, rows) = ([x.checked_sub(1), Some(x)], [y.checked_sub(1), Some(y)]);
        rows.map(|row| columns.map(|column| is_dark(column, row)))
    }

    fn is_corner(&self, crossing: [usize; 2]) -> bool {
        let dark = self.around(crossing);
        dark.as_flattened().iter().filter(|&&dark| dark).count() % 2 == 1
    }

    /// The next corner on the outline: on the same row of crossings (axis 0) or the same column (axis 1).
    fn next_corner(&self, mut at: [usize; 2], axis: usize) -> [usize; 2] {
        let [above, below] = self.around(at);
        // Forward, the last of the four modules lies on one side of the way, and on the other:
        let beside = if axis == 0 { above[1] } else { below[0] };
        let forward = below[1] != beside;
        loop {
            at[axis] = if forward { at[axis] + 1 } else { at[axis] - 1 };
            if self.is_corner(at) {
                return at;
            }
        }
    }
}

fn distance(from: usize, to: usize) -> isize {
    to as isize - from as isize
}

fn write_logo(svg: &mut Wiped, logo: &Placed, module_px: usize) -> Result<(), EncodingError> {
    let (columns, rows) = (&logo.columns, &logo.rows);
    let mut png = Wiped::with_capacity(4096);
    let mut writer = encoder(&mut png, columns.len(), rows.len()).write_header()?;
    writer.write_image_data(logo.picture.as_raw())?;
    writer.finish()?;
    let [x, y, width, height] = [columns.start, rows.start, columns.len(), rows.len()]
        .map(|pixels| pixels as f64 / module_px as f64);
    write!(
        svg,
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
         preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>",
        Base64Display::new(&png, &BASE64)
    )?;
    Ok(())
}
