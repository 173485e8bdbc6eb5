// The gradients of four filters at a pixel.

fn gradients(pixel: u32, filters: vec4<u32>) -> vec4<f32> {
  let at = pixel * params.filters + filters;
  if (WIDE_FILTERS) {
    return load_dy4(at.x);
  }
  return vec4<f32>(load_dy(at.x), load_dy(at.y), load_dy(at.z), load_dy(at.w));
}
