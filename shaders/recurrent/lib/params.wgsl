// What the kernels of recurrent layers are told; `rows` sequences a workgroup.
struct Params {
  batch: u32,
  time: u32,
  units: u32,
  rows: u32,
  backwards: u32,
}
