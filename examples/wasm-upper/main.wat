;; Copies stdin to stdout, with letters from a to z made large. Any language that compiles to WASI preview 1 will do as well.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $buffer i32 (i32.const 64))
  (global $count i32 (i32.const 8)) ;; where calls put how many bytes they took

  (func (export "_start")
    (local $at i32)
    (loop $more
      (i32.store (i32.const 0) (global.get $buffer))
      (i32.store (i32.const 4) (i32.const 65536))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (global.get $count)))
      (if (i32.load (global.get $count))
        (then
          (local.set $at (i32.const 0))
          (loop $next
            (call $raise (i32.add (global.get $buffer) (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (i32.load (global.get $count)))))
          (i32.store (i32.const 4) (i32.load (global.get $count)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (global.get $count)))
          (br $more)))))

  (func $raise (param $place i32)
    (local $letter i32)
    (local.set $letter (i32.load8_u (local.get $place)))
    (if (i32.lt_u (i32.sub (local.get $letter) (i32.const 97)) (i32.const 26))
      (then (i32.store8 (local.get $place) (i32.sub (local.get $letter) (i32.const 32)))))))
