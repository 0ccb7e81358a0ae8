using Polymath.Benchmarks;

// `gemm` measures matrix products of training as a share of the chip's peak, `matmul` those of inference, `attention` the
// kernel of that name, `tokenize` the speed of encoding, `constrain` the cost of grammars, `start` the time to the first token; `micro` is
// BenchmarkDotNet with each kernel in each instruction set; `make-model`, `peer` and `side-by-side` are the parts of bench/side-by-side.sh.
switch (args)
{
    case ["gemm"]:
        GemmSpeed.Run();
        return 0;
    case ["matmul", ..]:
        MatMulSpeed.Run(args[1..]);
        return 0;
    case ["attention", ..]:
        AttentionSpeed.Run(args[1..]);
        return 0;
    case ["constrain", ..]:
        ConstrainSpeed.Run(args[1..]);
        return 0;
    case ["tokenize", _, _, ..]:
        TokenizeSpeed.Run(args[1..]);
        return 0;
    case ["start", ..]:
        return StartSpeed.Run(args[1..]);
    case ["micro", ..]:
        return Micro.Run(args[1..]);
    case ["make-model", ..]:
        return MakeModel.Run(args[1..]);
    case ["peer", ..]:
        return EnginePeer.Run(args[1..]);
    case ["side-by-side", ..]:
        return SideBySide.Run(args[1..]);
    default:
        Console.Error.WriteLine("usage: gemm | matmul | attention | tokenize | constrain | start | micro | make-model | peer | side-by-side");
        return 2;
}
