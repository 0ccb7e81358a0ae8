using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>Whether a model and a session fit into memory, for people.</summary>
/// <param name="Fit">The verdict.</param>
/// <param name="Need">What they take.</param>
/// <param name="Text">The verdict in one line, with what would fit where this does not.</param>
internal sealed record MemoryVerdict(MemoryFit Fit, MemoryNeed Need, string Text)
{
    /// <summary>Judges a model and a session of that kind.</summary>
    /// <exception cref="ArgumentException">The model has no such cache or no such positions.</exception>
    public static MemoryVerdict Of(ModelOutline outline, SessionOptions options, MachineMemory memory)
    {
        MemoryNeed need = outline.NeedOf(options);
        string free = Figures.Bytes(memory.Free), total = Figures.Bytes(memory.Total);
        string text = need.FitIn(memory) switch
        {
            MemoryFit.Fits => $"fits: needs {Figures.Bytes(need.Total)}, {free} are free",
            MemoryFit.ExceedsMachine =>
                $"does not fit: needs {Figures.Bytes(need.Own)} of memory besides the mapped weights, {(memory.IsLimited ? "the container" : "the machine")} "
                + $"has {total}{Remedy(outline, options, memory.Total, mapped: need.Mapped)}",
            _ when need.Own <= memory.Free =>
                $"does not fit: needs {Figures.Bytes(need.Total)}, {free} are free; weights will be read from the disk again, which is "
                + $"slow{Remedy(outline, options, memory.Free)}",
            _ => $"does not fit: needs {Figures.Bytes(need.Total)}, {free} are free{Remedy(outline, options, memory.Free)}",
        };
        return new MemoryVerdict(need.FitIn(memory), need, text);
    }

    /// <summary>What would fit into <paramref name="bytes"/>; mapped weights of so many bytes may lie outside.</summary>
    private static string Remedy(ModelOutline outline, SessionOptions options, long bytes, long mapped = 0)
    {
        long room = bytes > long.MaxValue - mapped ? long.MaxValue : bytes + mapped;
        string[] would =
        [
            .. outline.LargestContext(options, room) is > 0 and var context ? [$"a context of {Figures.Count(context)}"] : Array.Empty<string>(),
            .. FitsAsQ8(outline, options, room) ? ["cache type Q8_0"] : Array.Empty<string>(),
        ];
        return would.Length == 0 ? "" : $"; {string.Join(" or ", would)} would";
    }

    private static bool FitsAsQ8(ModelOutline outline, SessionOptions options, long room)
    {
        SessionOptions smaller = options with { KeyFormat = TensorFormat.Q8_0, ValueFormat = TensorFormat.Q8_0 };
        try
        {
            return outline.Writes && smaller != options && outline.NeedOf(smaller).Total <= room;
        }
        catch (ArgumentException)
        {
            return false;   // heads that do not fill its blocks
        }
    }
}
