// The numbers of all kernels here: an image [height, width, channels] under windows of taps_y x taps_x, which begin `top` rows
// above it and `left` columns beside it.

struct Params {
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
  out_height: u32,
  out_width: u32,
  taps_y: u32,
  taps_x: u32,
  stride_y: u32,
  stride_x: u32,
  top: u32,
  left: u32,
}
