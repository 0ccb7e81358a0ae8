namespace Polymath.Benchmarks;

/// <summary>One block of one engine: a test, run as often as fills the wanted time.</summary>
/// <param name="Engine">Which.</param>
/// <param name="Block">Counted from 1.</param>
/// <param name="TokensPerSecond">Over all runs of the block.</param>
/// <param name="BytesPerSecond">Weights read in that time; 0 for a prompt test.</param>
/// <param name="Bandwidth">Bytes per second that memory gave just before; 0 where it was not measured.</param>
/// <param name="Others">Cores that other processes took meanwhile.</param>
/// <param name="Counts">They took no more than is allowed.</param>
internal sealed record Sample(
    string Engine, int Block, double TokensPerSecond, double BytesPerSecond, double Bandwidth, double Others, bool Counts);

/// <summary>What the samples of one engine in one test say.</summary>
internal sealed class SampleSummary
{
    private readonly Sample[] _used;

    /// <summary>Takes the samples that count, or all where none does.</summary>
    public SampleSummary(IReadOnlyCollection<Sample> samples)
    {
        Sample[] counted = [.. samples.Where(s => s.Counts)];
        Taken = samples.Count;
        Counted = counted.Length;
        _used = counted.Length > 0 ? counted : [.. samples];
    }

    /// <summary>All samples.</summary>
    public int Taken { get; }

    /// <summary>Those during which others were quiet.</summary>
    public int Counted { get; }

    public double Median => MedianOf(s => s.TokensPerSecond);

    public double Least => _used.Min(s => s.TokensPerSecond);

    public double Most => _used.Max(s => s.TokensPerSecond);

    /// <summary>Of the weights read, bytes per second.</summary>
    public double BytesPerSecond => MedianOf(s => s.BytesPerSecond);

    /// <summary>The median of each sample's share of the bandwidth measured beside it.</summary>
    public double Share => MedianOf(s => s.BytesPerSecond / s.Bandwidth);

    private double MedianOf(Func<Sample, double> value)
    {
        double[] sorted = [.. _used.Select(value).Order()];
        int half = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
