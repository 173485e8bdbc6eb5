// io: x 8 -> y
@compute @workgroup_size(1) fn main() {}
