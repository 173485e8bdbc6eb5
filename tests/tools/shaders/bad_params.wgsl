struct Params { size: vec2<u32> }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;
@compute @workgroup_size(1) fn main() { y[params.size.x] = 1.0; }
