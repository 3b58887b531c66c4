"""Makes image files of every format that Crosscurrent reads, in their modes, compressions and orientations, and writes
the pixels that Pillow reads from them, as torchvision's ImageFolder does: `Image.open(path).convert("RGB")`.

Where Crosscurrent is meant to read something else than that, the case says so with `differs`, and the pixels written
are the meant ones, computed here from the definition: `orientation` (applied, which torchvision's loader leaves to the
user), `16 bit` (scaled to 8 bits, which Pillow cuts or truncates), `transparent` (what a decoder leaves where nothing is
seen). `pillow_rgb` are then Pillow's own pixels.

    python3 pillow_pixels.py FOLDER

writes FOLDER/<case>/{train,val,test}/{a,b}/image.<ending>, FOLDER/<case>.rgb and FOLDER/cases.json.
"""

import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

warnings.simplefilter("ignore")
out = Path(sys.argv[1])
cases = []
skipped = []


def colours(width, height, seed=0, smooth=False):
    """[H, W, 3]: ramps of colour with edges and, unless smooth, noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 255 / (width - 1), y * 255 / (height - 1), (x + y + seed * 37) * 5 % 256], -1)
    if not smooth:
        image[height // 3 : height // 2, : width // 2] = [230, 20, 40]
        image += rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def alphas(width, height):
    """[H, W]: opaque at the left, transparent at the right."""
    alpha = np.tile(np.linspace(255, 0, width).astype(np.uint8), (height, 1))
    alpha[:, -4:] = 0
    alpha[:, :4] = 255
    return alpha


SIZES = [(24, 17), (33, 20), (16, 16), (40, 61)]


def put(name, ending, data, differs=None, meant=None, kind=None):
    """Adds a case: the bytes of a file. `meant` [H, W, 3] replaces Pillow's pixels where `differs` says why."""
    data = bytes(data)
    try:
        with Image.open(io.BytesIO(data)) as image:
            mode = image.mode
            plain = np.array(image.convert("RGB"))
    except Exception as error:  # Pillow itself cannot read it.
        if meant is None:
            skipped.append(f"{name}: {error}")
            return
        mode, plain = "?", None
    pixels = plain if meant is None else np.asarray(meant, np.uint8)
    for split in ["train", "val", "test"]:
        for label in "ab":
            folder = out / name / split / label
            folder.mkdir(parents=True)
            (folder / f"image.{ending}").write_bytes(data)
    (out / f"{name}.rgb").write_bytes(pixels.tobytes())
    apart = None
    if plain is not None and plain.shape == pixels.shape:
        apart = int(np.abs(plain.astype(int) - pixels.astype(int)).max())
    height, width, _ = pixels.shape
    cases.append(
        dict(name=name, kind=kind or name.split("_")[0], width=width, height=height, mode=mode, differs=differs, apart=apart)
    )


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def save(name, ending, image, format, differs=None, meant=None, kind=None, **options):
    """Adds a case that Pillow writes; skipped, and said, where this Pillow cannot write it."""
    try:
        data = saved(image, format, **options)
    except Exception as error:
        skipped.append(f"{name}: {error}")
        return
    put(name, ending, data, differs, meant, kind)


def modes(width, height, seed):
    rgb = Image.fromarray(colours(width, height, seed))
    rgba = rgb.copy()
    rgba.putalpha(Image.fromarray(alphas(width, height)))
    grey_alpha = rgb.convert("L").convert("LA")
    grey_alpha.putalpha(Image.fromarray(alphas(width, height)))
    return {
        "1": rgb.convert("1"),
        "L": rgb.convert("L"),
        "LA": grey_alpha,
        "P": rgb.quantize(64),
        "RGB": rgb,
        "RGBA": rgba,
        "CMYK": rgb.convert("CMYK"),
        "YCbCr": rgb.convert("YCbCr"),
    }


# ---- PNG, by a writer of its own: bit depths, kinds, Adam7 and transparency that Pillow does not write.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, depth):
    """Rows [H, W·channels] of samples packed to bytes, each row with filter 0."""
    rows = b""
    for row in samples:
        if depth == 16:
            rows += b"\0" + row.astype(">u2").tobytes()
        elif depth == 8:
            rows += b"\0" + row.astype(np.uint8).tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            rows += b"\0" + np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()
    return rows


def png(samples, kind, depth, interlaced=False, palette=None, transparency=None, extra=b""):
    """samples [H, W, channels]; kind is PNG's colour type."""
    height, width, channels = samples.shape
    data = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))) + extra
    if palette is not None:
        data += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if transparency is not None:
        data += chunk(b"tRNS", transparency)
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    body = b""
    for x, y, dx, dy in passes:
        part = samples[y::dy, x::dx]
        if part.size:
            body += packed(part.reshape(part.shape[0], -1), depth)
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def to_8_bits(samples):
    """16-bit samples to the nearest of 256 levels."""
    return np.floor(samples.astype(float) * 255 / 65535 + 0.5).astype(np.uint8)


def three(grey):
    return np.repeat(grey.reshape(grey.shape[0], grey.shape[1], 1), 3, axis=2)


for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    rgb = colours(width, height, number)
    grey = np.array(Image.fromarray(rgb).convert("L"))
    alpha = alphas(width, height)
    deep = rgb.astype(np.uint16) * 257 + np.arange(width, dtype=np.uint16)[None, :, None] * 3
    deep = np.minimum(deep.astype(int), 65535).astype(np.uint16)
    for interlaced in [False, True]:
        way = f"png_{'adam7' if interlaced else 'plain'}"
        for depth in [1, 2, 4, 8]:
            samples = (grey >> (8 - depth))[..., None]
            put(f"{way}_grey{depth}_{size}", "png", png(samples, 0, depth, interlaced), kind="png grey")
            levels = 1 << depth
            palette = colours(16, 16, 5).reshape(-1, 3)[:levels]
            put(f"{way}_palette{depth}_{size}", "png", png(samples, 3, depth, interlaced, palette), kind="png palette")
            seen = bytes(range(0, levels))
            put(
                f"{way}_palette{depth}_transparent_{size}",
                "png",
                png(samples, 3, depth, interlaced, palette, seen),
                kind="png palette with transparency",
            )
        put(f"{way}_rgb8_{size}", "png", png(rgb, 2, 8, interlaced), kind="png RGB")
        put(
            f"{way}_rgba8_{size}",
            "png",
            png(np.concatenate([rgb, alpha[..., None]], 2), 6, 8, interlaced),
            kind="png RGB and alpha",
        )
        put(
            f"{way}_greyalpha8_{size}",
            "png",
            png(np.stack([grey, alpha], 2), 4, 8, interlaced),
            kind="png grey and alpha",
        )
        put(f"{way}_grey8_key_{size}", "png", png(grey[..., None], 0, 8, interlaced, None, struct.pack(">H", int(grey[2, 2]))), kind="png grey with a transparent level")
        put(f"{way}_rgb8_key_{size}", "png", png(rgb, 2, 8, interlaced, None, struct.pack(">HHH", *map(int, rgb[2, 2]))), kind="png RGB with a transparent colour")
        deep_alpha = np.full((height, width, 1), 40000, np.uint16)
        put(f"{way}_rgb16_{size}", "png", png(deep, 2, 16, interlaced), kind="png 16 bit RGB")
        put(f"{way}_rgba16_{size}", "png", png(np.concatenate([deep, deep_alpha], 2), 6, 16, interlaced), kind="png 16 bit RGB and alpha")
        put(f"{way}_grey16_{size}", "png", png(deep[..., :1], 0, 16, interlaced), "16 bit", three(to_8_bits(deep[..., 0])), kind="png 16 bit grey")
        put(f"{way}_greyalpha16_{size}", "png", png(np.concatenate([deep[..., :1], deep_alpha], 2), 4, 16, interlaced), kind="png 16 bit grey and alpha")
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    put(f"png_gamma_{size}", "png", png(rgb, 2, 8, extra=gamma), kind="png with gamma")
    save(f"png_animated_{size}", "png", Image.fromarray(rgb), "PNG", save_all=True, append_images=[Image.fromarray(255 - rgb)], kind="png animated")

# ---- JPEG
for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    for smooth in [False, True]:
        image = Image.fromarray(colours(width, height, number, smooth))
        look = "smooth" if smooth else "noisy"
        for sampling, name in [(0, "444"), (1, "422"), (2, "420")]:
            for quality in [50, 92]:
                for progressive in [False, True]:
                    kind = f"jpeg {name}{' progressive' if progressive else ''}"
                    save(
                        f"jpeg_{name}_{quality}_{'progressive' if progressive else 'baseline'}_{look}_{size}",
                        "jpg", image, "JPEG", quality=quality, subsampling=sampling, progressive=progressive, kind=kind,
                    )
    all_modes = modes(width, height, number)
    for mode in ["1", "L", "CMYK", "YCbCr"]:
        save(f"jpeg_{mode}_{size}", "jpg", all_modes[mode], "JPEG", quality=92, subsampling=0, kind=f"jpeg {mode}")

# ---- WebP
for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    all_modes = modes(width, height, number)
    for mode in ["L", "P", "RGB", "RGBA"]:
        save(f"webp_lossless_{mode}_{size}", "webp", all_modes[mode], "WEBP", lossless=True, exact=True, kind=f"webp lossless {mode}")
        for quality in [40, 90]:
            save(f"webp_lossy{quality}_{mode}_{size}", "webp", all_modes[mode], "WEBP", quality=quality, exact=True, kind=f"webp lossy {mode}")
    other = Image.fromarray(255 - colours(width, height, number))
    for lossless in [False, True]:
        name = "lossless" if lossless else "lossy"
        save(f"webp_animated_{name}_{size}", "webp", all_modes["RGB"], "WEBP", save_all=True, append_images=[other], lossless=lossless, kind=f"webp animated {name}")

# ---- TIFF
for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    all_modes = modes(width, height, number)
    rgb = colours(width, height, number)
    for mode in ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"]:
        for compression in [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "group3", "group4", "tiff_ccitt"]:
            if (compression in ["group3", "group4", "tiff_ccitt"]) != (mode == "1") and compression not in [None, "tiff_lzw", "packbits"]:
                continue
            if compression == "jpeg" and mode not in ["L", "RGB", "CMYK"]:
                continue
            save(f"tiff_{mode}_{compression or 'plain'}_{size}", "tif", all_modes[mode], "TIFF", compression=compression, kind=f"tiff {mode} {compression or 'plain'}")
    save(f"tiff_YCbCr_{size}", "tif", all_modes["YCbCr"], "TIFF", compression="jpeg", kind="tiff YCbCr jpeg")
    pages = [Image.fromarray(255 - rgb)]
    save(f"tiff_pages_{size}", "tif", all_modes["RGB"], "TIFF", save_all=True, append_images=pages, kind="tiff of several pages")
    deep = np.minimum(rgb[..., 0].astype(int) * 257 + 5, 65535).astype(np.uint16)
    save(f"tiff_grey16_{size}", "tif", Image.fromarray(deep), "TIFF", "16 bit", three(to_8_bits(deep)), kind="tiff 16 bit grey")
    real = rgb[..., 0].astype(np.float32) / 255
    save(f"tiff_real_{size}", "tif", Image.fromarray(real), "TIFF", "real", three(rgb[..., 0]), kind="tiff floating point 0 to 1")


# ---- BMP, by a writer of its own for the kinds that Pillow does not write.
def bmp(width, height, bits, rows, palette=b"", compression=0, masks=b""):
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(rows), 2835, 2835, len(palette) // 4, 0)
    at = 14 + len(head) + len(masks) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + head + masks + palette + rows


def bmp_rows(rows):
    """Rows of bytes, each filled to four."""
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    all_modes = modes(width, height, number)
    for mode in ["1", "L", "P", "RGB", "RGBA"]:
        save(f"bmp_{mode}_{size}", "bmp", all_modes[mode], "BMP", kind=f"bmp {mode}")
    rgb = colours(width, height, number)
    top_down = bmp_rows([row[:, ::-1].tobytes() for row in rgb])
    put(f"bmp_topdown_{size}", "bmp", bmp(width, -height, 24, top_down), kind="bmp from the top")
    r, g, b = (rgb[..., c].astype(np.uint16) for c in range(3))
    five = bmp_rows([row.astype("<u2").tobytes() for row in (r >> 3 << 10 | g >> 3 << 5 | b >> 3)[::-1]])
    put(f"bmp_555_{size}", "bmp", bmp(width, height, 16, five), kind="bmp 16 bit 555")
    six = bmp_rows([row.astype("<u2").tobytes() for row in (r >> 3 << 11 | g >> 2 << 5 | b >> 3)[::-1]])
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    put(f"bmp_565_{size}", "bmp", bmp(width, height, 16, six, b"", 3, masks), kind="bmp 16 bit 565")
    indices = np.array(Image.fromarray(rgb).convert("L")) >> 4
    palette = b"".join(bytes([*c[::-1], 0]) for c in colours(16, 16, 5).reshape(-1, 3)[:16].tolist())
    rows = []
    for row in indices[::-1]:
        row = np.append(row, [0] * (width % 2)).astype(np.uint8)
        rows.append((row[0::2] << 4 | row[1::2]).tobytes())
    put(f"bmp_4bit_{size}", "bmp", bmp(width, height, 4, bmp_rows(rows), palette), kind="bmp 4 bit")
    runs = b""
    for row in indices[::-1]:
        for value in row:
            runs += bytes([1, value])
        runs += b"\0\0"
    put(f"bmp_rle8_{size}", "bmp", bmp(width, height, 8, runs + b"\0\1", palette, 1), kind="bmp run-length 8 bit")

# ---- GIF
for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    all_modes = modes(width, height, number)
    for mode in ["1", "L", "P", "RGB"]:
        for interlaced in [0, 1]:
            save(f"gif_{mode}_{'interlaced' if interlaced else 'plain'}_{size}", "gif", all_modes[mode], "GIF", interlace=interlaced, kind=f"gif {mode}")
    other = Image.fromarray(255 - colours(width, height, number)).quantize(64)
    save(f"gif_animated_{size}", "gif", all_modes["P"], "GIF", save_all=True, append_images=[other], kind="gif animated")
    palette = all_modes["P"]
    clear = int(np.array(palette)[3, 3])
    save(f"gif_transparent_{size}", "gif", palette, "GIF", transparency=clear, kind="gif with a transparent colour")
    # A first frame of which the canvas is larger: what is around it is black here, and the background colour in Pillow.
    data = bytearray(saved(palette, "GIF"))
    data[6:10] = struct.pack("<HH", width + 3, height + 2)
    around = np.zeros((height + 2, width + 3, 3), np.uint8)
    around[:height, :width] = np.array(palette.convert("RGB"))
    put(f"gif_small_{size}", "gif", data, "canvas", around, kind="gif with a first frame smaller than its canvas")

# ---- PNM
for number, (width, height) in enumerate(SIZES):
    size = f"{width}x{height}"
    rgb = colours(width, height, number)
    grey = np.array(Image.fromarray(rgb).convert("L"))
    all_modes = modes(width, height, number)
    for mode, ending in [("1", "pbm"), ("L", "pgm"), ("RGB", "ppm")]:
        save(f"pnm_{mode}_{size}", ending, all_modes[mode], "PPM", kind=f"pnm {mode}")
    words = lambda values: " ".join(map(str, values.reshape(-1).tolist())) + "\n"
    bits = (grey < 128).astype(int)
    black_is_one = three(((1 - bits) * 255).astype(np.uint8))
    put(f"pnm_P1_{size}", "pbm", f"P1\n{width} {height}\n{words(bits)}".encode(), kind="pnm plain text bits")
    put(f"pnm_P2_{size}", "pgm", f"P2\n# comment\n{width} {height}\n255\n{words(grey)}".encode(), kind="pnm plain text grey")
    put(f"pnm_P3_{size}", "ppm", f"P3\n{width} {height}\n255\n{words(rgb)}".encode(), kind="pnm plain text RGB")
    hundred = (grey.astype(int) * 100 // 255).astype(np.uint8)
    put(f"pnm_P5_100_{size}", "pgm", f"P5\n{width} {height}\n100\n".encode() + hundred.tobytes(), kind="pnm of 100 levels")
    hundred = (rgb.astype(int) * 100 // 255).astype(np.uint8)
    put(f"pnm_P6_100_{size}", "ppm", f"P6\n{width} {height}\n100\n".encode() + hundred.tobytes(), kind="pnm of 100 levels")
    deep = np.minimum(grey.astype(int) * 257 + 7, 65535).astype(np.uint16)
    put(f"pnm_P5_65535_{size}", "pgm", f"P5\n{width} {height}\n65535\n".encode() + deep.astype(">u2").tobytes(), "16 bit", three(to_8_bits(deep)), kind="pnm 16 bit grey")

# ---- What EXIF says of its orientations: which corner of the scene the first row and the first column are.
TURNS = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}

# ---- Orientations of EXIF, which Crosscurrent applies and torchvision's loader does not.
for orientation in range(1, 9):
    for number, (width, height) in enumerate(SIZES[:2]):
        size = f"{width}x{height}"
        image = Image.fromarray(colours(width, height, number))
        exif = Image.Exif()
        exif[0x0112] = orientation
        for ending, format, options in [
            ("jpg", "JPEG", dict(quality=95, subsampling=0)),
            ("png", "PNG", {}),
            ("webp", "WEBP", dict(lossless=True)),
            ("tif", "TIFF", {}),
        ]:
            how = dict(options, tiffinfo={0x0112: orientation}) if format == "TIFF" else dict(options, exif=exif.tobytes())
            data = saved(image, format, **how)
            with Image.open(io.BytesIO(data)) as opened:
                # A TIFF file's orientation is applied by Pillow itself, so that its pixels are those that were written.
                stored = np.array(image) if format == "TIFF" else np.array(opened.convert("RGB"))
            turned = TURNS[orientation](stored)
            put(f"exif_{format.lower()}_{orientation}_{size}", ending, data, "orientation", turned, kind=f"orientation in {format.lower()}")

(out / "cases.json").write_text(json.dumps(dict(version=__import__("PIL").__version__, cases=cases, skipped=skipped)))
print(f"{len(cases)} images made, {len(skipped)} not made")
