using Polymath.Models.Layers;

namespace Polymath.Models.Architectures;

/// <summary>
/// Qwen 3.5, dense or with experts: the hybrid whose value heads take the key heads in turn, with rotations of three
/// interleaved sections, for time, height and width (arXiv:2511.21631). In text all three are the token's position.
/// </summary>
internal sealed class Qwen35(WeightReader w) : DeltaHybrid(w, tiled: true, Sections(w))
{
    private const string Key = "rope.dimension_sections";

    /// <summary>The usual rotations, but that a pair which belongs to none of the three sections stays as it is.</summary>
    private static RopeSettings Sections(WeightReader w)
    {
        RopeSettings rope = RopeSettings.Read(w);
        if (w.Int32s(Key) is not { } sections)
            return rope;
        if (sections.Length is < 3 or > 4 || Array.Exists(sections, n => n is < 0 or > 1 << 16) || sections.Sum() == 0)
            throw w.Bad(Key, string.Join(", ", sections.Take(8)));
        int all = sections.Sum();
        float[] divisors = rope.Divisors.Length > 0 ? [.. rope.Divisors] : [.. Enumerable.Repeat(1f, rope.Size / 2)];
        for (int pair = 0; pair < divisors.Length; pair++)
        {
            int place = pair % all;
            if (place >= 3 * sections[place % 3])
                divisors[pair] = float.PositiveInfinity;   // a frequency of 0
        }

        return rope with { Divisors = divisors };
    }
}
