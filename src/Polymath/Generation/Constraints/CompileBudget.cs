using System.Diagnostics;

namespace Polymath.Generation.Constraints;

/// <summary>What making one grammar may cost; shared by everything that takes part in it.</summary>
internal sealed class CompileBudget
{
    /// <summary>Most characters or bytes of a grammar, schema or pattern.</summary>
    public const int SourceLength = 256 << 10;

    /// <summary>Most rules of a grammar.</summary>
    public const int Rules = 10_000;

    /// <summary>Most brackets, groups or schemas within each other in a source.</summary>
    public const int Depth = 256;

    /// <summary>Most states and steps of work that make one state.</summary>
    public const int States = 1_000_000;

    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(2);

    private readonly long _start = Stopwatch.GetTimestamp();
    private int _states;
    private int _work;

    /// <summary>Pays for <paramref name="states"/> states.</summary>
    /// <exception cref="ConstraintException">More states or more time than one grammar may take.</exception>
    public void Charge(int states)
    {
        _states += states;
        if ((uint)_states > States)
            throw new ConstraintException($"the grammar needs more than {States} states");
        Work(states);
    }

    /// <summary>Pays for work that leaves nothing behind.</summary>
    /// <exception cref="ConstraintException">More time than one grammar may take.</exception>
    public void Work(int steps)
    {
        _work += steps;
        if (_work < 4096)
            return;
        _work = 0;
        if (Stopwatch.GetElapsedTime(_start) > s_time)
            throw new ConstraintException($"the grammar takes more than {s_time.TotalSeconds} s to compile");
    }

    /// <exception cref="ConstraintException">Longer than <see cref="SourceLength"/>.</exception>
    public static void CheckSource(int length, string what)
    {
        if (length > SourceLength)
            throw new ConstraintException($"the {what} is {length} long; {SourceLength} is the most");
    }
}
