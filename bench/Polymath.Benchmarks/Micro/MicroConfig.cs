using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Polymath.Tensors;

namespace Polymath.Benchmarks;

/// <summary>One job for each instruction set that the chip has, on one thread; the speed as a share of the chip's limit.</summary>
internal sealed class MicroConfig : ManualConfig
{
    public MicroConfig()
    {
        Add(DefaultConfig.Instance);
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>().Where(Cpu.Has))
            AddJob(JobOf(set));
        AddColumn(new SpeedColumn(), new OfLimitColumn());
        HideColumns(Column.Error, Column.StdDev, Column.EnvironmentVariables, Column.IterationCount, Column.LaunchCount, Column.WarmupCount);
        AddDiagnoser(MemoryDiagnoser.Default);
        WithOptions(ConfigOptions.DisableLogFile | ConfigOptions.JoinSummary);
    }

    /// <summary>The job of AVX2 also takes AVX-512 from the JIT, so that it measures what a chip without it would run.</summary>
    private static Job JobOf(InstructionSet set)
    {
        string name = set.ToString().ToLowerInvariant();
        Job job = Job.ShortRun.WithId(name).WithEnvironmentVariable(Cpu.Variable, name);
        return set == InstructionSet.Avx2 ? job.WithEnvironmentVariable("DOTNET_EnableAVX512", "0") : job;
    }

    private static KernelWork WorkOf(BenchmarkCase benchmark)
    {
        var instance = (IKernelBenchmark)Activator.CreateInstance(benchmark.Descriptor.Type)!;
        foreach (var parameter in benchmark.Parameters.Items)
            benchmark.Descriptor.Type.GetProperty(parameter.Name)!.SetValue(instance, parameter.Value);
        return instance.WorkOf(benchmark.Descriptor.WorkloadMethod.Name);
    }

    /// <summary>Bytes or operations a second; 0 for a benchmark that failed.</summary>
    private static double SpeedOf(Summary summary, BenchmarkCase benchmark) =>
        summary[benchmark]?.ResultStatistics is { } times ? WorkOf(benchmark).Amount / (times.Median * 1e-9) : 0;

    private sealed class SpeedColumn : KernelColumn
    {
        public override string ColumnName => "Speed";

        public override string Legend => "Work of the run over its median time";

        public override string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
            string.Create(CultureInfo.InvariantCulture, $"{SpeedOf(summary, benchmarkCase) / 1e9:0.0} {WorkOf(benchmarkCase).Unit}");
    }

    private sealed class OfLimitColumn : KernelColumn
    {
        public override string ColumnName => "Of limit";

        public override string Legend => "Share of what one thread of this machine does at best: reading memory or cache, or multiply-adds";

        public override string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            Limit limit = WorkOf(benchmarkCase).Limit;
            double share = SpeedOf(summary, benchmarkCase) / MachineLimits.Of(limit);
            return string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} % of {limit.ToString().ToLowerInvariant()} ({MachineLimits.Of(limit) / 1e9:0})");
        }
    }

    private abstract class KernelColumn : IColumn
    {
        public string Id => ColumnName;

        public abstract string ColumnName { get; }

        public abstract string Legend { get; }

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public abstract string GetValue(Summary summary, BenchmarkCase benchmarkCase);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
    }
}
