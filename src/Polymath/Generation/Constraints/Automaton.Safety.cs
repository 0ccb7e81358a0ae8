using System.Numerics;

namespace Polymath.Generation.Constraints;

/// <content>What a state lets through whatever comes, so that most of a vocabulary need not be walked.</content>
/// <remarks>
/// Inside a string nearly every token may follow. A state is asked for groups of bytes of which any text, of any length or
/// of up to 16 bytes, stays within its rule; the tokens made of such groups are known for the vocabulary, and a walk need
/// only go where others are.
/// </remarks>
internal sealed partial class Automaton
{
    private const int FewestLoops = 6;     // below, a plain walk is as fast
    private const int FewestGroups = 24;   // below, it is faster than asking the states behind
    private const int MostAsked = 4096;    // states, for one mask

    private static readonly ByteDfa s_character = ByteDfa.Character(CodePointSet.All);

    private readonly Dictionary<(int State, int Left, bool MayEnd), ulong> _safe = [];
    private readonly Dictionary<(int State, bool MayEnd), int[]> _afterCharacter = [];
    private int _asked;

    /// <summary>The groups of bytes of which any text of at most <paramref name="left"/> bytes leaves the state alive and within its rule; of any length with <see cref="ByteGroups.Long"/>. With <paramref name="mayEnd"/> the rule may end on the way.</summary>
    private ulong Safe(int state, int left, bool mayEnd)
    {
        if (left == 0)
            return ~(ByteGroups.Long | ByteGroups.Broken);
        if (_safe.TryGetValue((state, left, mayEnd), out ulong safe))
            return safe;
        if (++_asked > MostAsked)
            return 0;
        ulong alive = 0, loops = 0;
        int count = ByteGroups.Ascii.Count;
        for (int group = 0; group <= count; group++)
        {
            ulong bit = group < count ? 1UL << group : ByteGroups.Characters;
            if (!Leads(state, group, mayEnd, out bool loop))
                continue;
            alive |= bit;
            loops |= loop ? bit : 0;
        }

        int some = BitOperations.PopCount(alive), same = BitOperations.PopCount(loops);
        if (same >= FewestLoops && 2 * same >= some)
            safe = loops | ByteGroups.Long;
        else if (some >= FewestGroups)
            safe = SafeBehind(state, left, mayEnd, alive);
        Grow(4);
        return _safe[(state, left, mayEnd)] = safe;
    }

    /// <summary>The groups that stay safe behind each of them. Those behind which little is safe, as behind a quote, are left out first.</summary>
    private ulong SafeBehind(int state, int left, bool mayEnd, ulong alive)
    {
        int count = ByteGroups.Ascii.Count, best = 0;
        Span<ulong> behind = stackalloc ulong[count + 1];
        for (int group = 0; group <= count; group++)
        {
            if ((alive & Bit(group)) == 0)
                continue;
            behind[group] = ulong.MaxValue;
            if (group == count)
            {
                foreach (int target in AfterCharacter(state, mayEnd))
                    behind[group] &= Safe(target, left - 1, mayEnd);
            }
            else
            {
                foreach (byte value in ByteGroups.Ascii[group])
                    behind[group] &= Safe(Next(state, value), left - 1, mayEnd);
            }

            best = Math.Max(best, BitOperations.PopCount(behind[group]));
        }

        ulong kept = 0, all = ulong.MaxValue;
        for (int group = 0; group <= count; group++)
        {
            if ((alive & Bit(group)) == 0 || 4 * BitOperations.PopCount(behind[group]) < 3 * best)
                continue;
            kept |= Bit(group);
            all &= behind[group];
        }

        return (kept | ByteGroups.Long) & all;

        ulong Bit(int group) => group < count ? 1UL << group : ByteGroups.Characters;
    }

    /// <summary>True when every byte or character of a group leaves the state alive and within its rule; <paramref name="loop"/> when it leaves it as it is.</summary>
    private bool Leads(int state, int group, bool mayEnd, out bool loop)
    {
        loop = true;
        if (group == ByteGroups.Ascii.Count)
        {
            int[] targets = AfterCharacter(state, mayEnd);
            loop = targets is [int only] && only == state;
            return targets.Length > 0;
        }

        foreach (byte value in ByteGroups.Ascii[group])
        {
            int next = Next(state, value);
            if (next < 0 || (!mayEnd && CanEnd(next)))
                return false;
            loop &= next == state;
        }

        return true;
    }

    /// <summary>The states after one character of several bytes; empty when one of them is dead or leaves the rule.</summary>
    private int[] AfterCharacter(int state, bool mayEnd)
    {
        if (_afterCharacter.TryGetValue((state, mayEnd), out int[]? targets))
            return targets;
        var found = new SortedSet<int>();
        var seen = new HashSet<(int State, int Part)> { (state, 0) };
        var open = new Stack<(int State, int Part)>(seen);
        bool all = true;
        while (all && open.TryPop(out (int State, int Part) at))
        {
            for (int value = 0x80; value < 0x100 && all; value++)
            {
                int part = s_character.Next(at.Part, (byte)value);
                if (part < 0)
                    continue;
                int next = Next(at.State, (byte)value);
                all = next >= 0 && (mayEnd || !CanEnd(next));
                if (all && s_character.Accepts(part))
                    found.Add(next);
                else if (all && seen.Add((next, part)))
                    open.Push((next, part));
            }
        }

        targets = all ? [.. found] : [];
        Grow(targets.Length + 4);
        return _afterCharacter[(state, mayEnd)] = targets;
    }
}
