using System.Diagnostics;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>
/// <c>micro</c>: each kernel on one thread in each instruction set that the chip has, in a process of its own for each,
/// since a process keeps to one; or in the one that POLYMATH_ISA names.
/// </summary>
internal static class Micro
{
    /// <summary>Runs; the arguments are BenchmarkDotNet's, such as <c>--filter *MatMul*</c>; all benchmarks without any.</summary>
    public static int Run(string[] args)
    {
        if (Environment.GetEnvironmentVariable(Cpu.Variable) is { Length: > 0 })
            return RunHere(args.Length > 0 ? args : ["--filter", "*"]);
        int code = 0;
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>().Where(Cpu.Has))
            code = Math.Max(code, RunIn(set, args));
        return code;
    }

    private static int RunHere(string[] args)
    {
        Console.WriteLine($"\n## {Cpu.InstructionSet.ToString().ToLowerInvariant()}\n");
        foreach (Summary summary in BenchmarkSwitcher.FromAssembly(typeof(Micro).Assembly).Run(args, new MicroConfig()))
        {
            MarkdownExporter.Console.ExportToLog(summary, ConsoleLogger.Default);
            if (summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success))
                return 1;
        }

        return 0;
    }

    /// <summary>AVX2 runs without the JIT's AVX-512 too, as on a chip that lacks it.</summary>
    private static int RunIn(InstructionSet set, string[] args)
    {
        (string program, string[] first) = SideBySide.ThisProgram();
        var start = new ProcessStartInfo(program, [.. first, "micro", .. args]);
        start.Environment[Cpu.Variable] = set.ToString().ToLowerInvariant();
        if (set == InstructionSet.Avx2)
            start.Environment["DOTNET_EnableAVX512"] = "0";
        using Process process = Process.Start(start) ?? throw new IOException($"{program} did not start");
        process.WaitForExit();
        return process.ExitCode;
    }
}
