/**
 * Each new pixel is the mean of those that it covers, weighted by their opacity, so that no colour shines through from what
 * cannot be seen.
 *
 * @param image `{width, height, pixels}`, pixels as RGBA
 * @param size the most that width and height may be; smaller images stay as they are
 */
export function shrink({ width, height, pixels }, size) {
  const scale = Math.max(width / size, height / size, 1);
  const small = {
    width: Math.max(1, Math.round(width / scale)),
    height: Math.max(1, Math.round(height / scale)),
  };
  const target = Buffer.alloc(small.width * small.height * 4);
  for (let y = 0; y < small.height; y++) {
    const [top, bottom] = span(y, small.height, height);
    for (let x = 0; x < small.width; x++) {
      const [left, right] = span(x, small.width, width);
      target.set(meanOf(pixels, width, { top, bottom, left, right }), (y * small.width + x) * 4);
    }
  }
  return { ...small, pixels: target };
}

/** Which of `source` pixels the pixel `index` of `target` covers. */
function span(index, target, source) {
  const from = Math.floor((index * source) / target);
  return [from, Math.max(from + 1, Math.floor(((index + 1) * source) / target))];
}

function meanOf(pixels, width, { top, bottom, left, right }) {
  let [red, green, blue, opacity] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y++) {
    for (let at = (y * width + left) * 4; at < (y * width + right) * 4; at += 4) {
      const alpha = pixels[at + 3];
      red += pixels[at] * alpha;
      green += pixels[at + 1] * alpha;
      blue += pixels[at + 2] * alpha;
      opacity += alpha;
    }
  }
  if (opacity === 0) return [0, 0, 0, 0];
  const count = (bottom - top) * (right - left);
  return [red / opacity, green / opacity, blue / opacity, opacity / count].map(Math.round);
}
