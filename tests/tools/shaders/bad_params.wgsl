// io: -> y
struct Params { size: vec2<u32> }
@compute @workgroup_size(1) fn main() { store_y(params.size.x, 1.0); }
