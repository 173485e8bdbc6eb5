// The numbers of conv2d_kernel_grad.wgsl and conv2d_kernel_grad_direct.wgsl.

struct Params {
  count: u32,
  rows: u32,
  share: u32,
  out_height: u32,
  out_width: u32,
  height: u32,
  width: u32,
  channels: u32,
  depth: u32,
  filters: u32,
  units: u32,
  groups: u32,
  taps_x: u32,
  weights: u32,
  stride_y: i32,
  stride_x: i32,
  dilation_y: i32,
  dilation_x: i32,
  top: i32,
  left: i32,
}
