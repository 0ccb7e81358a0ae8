using System.Text;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Text;

namespace Polymath.Tests.Generation.Constraints;

/// <summary>Answers written under a constraint by a model that knows nothing, and texts held against one.</summary>
internal static class Answers
{
    /// <summary>True when the whole of <paramref name="text"/> matches, read byte by byte.</summary>
    public static bool Matches(Grammar grammar, string text)
    {
        var constraint = new Constraint(grammar, Vocabularies.Bytes);
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            if (!constraint.Allows(value))
                return false;
            constraint.Accept(value);
        }

        return constraint.CanEnd;
    }

    /// <summary>
    /// A random answer: any allowed token is as likely as another, but for those that close something, which come more
    /// often, or few answers would end. Null when it has not ended after <paramref name="most"/> tokens.
    /// </summary>
    public static string? Draw(Constraint constraint, Tokenizer tokenizer, ref RandomSource random, int most = 300)
    {
        var ids = new List<int>();
        var allowed = new List<int>();
        var closing = new List<int>();
        for (; ids.Count < most; constraint.Accept(ids[^1]))
        {
            if (constraint.IsComplete || (constraint.CanEnd && random.NextInt32(3) == 0))
                return tokenizer.Decode([.. ids]);
            Allowed(constraint, allowed);
            allowed.RemoveAll(tokenizer.IsEndOfGeneration);
            closing.Clear();
            foreach (int id in allowed)
            {
                if (tokenizer.TokenBytes(id) is [(byte)'"' or (byte)'}' or (byte)']', ..])
                    closing.Add(id);
            }

            List<int> from = closing.Count > 0 && random.NextInt32(2) == 0 ? closing : allowed;
            ids.Add(from[random.NextInt32(from.Count)]);
        }

        return null;
    }

    /// <summary>The ids whose bits are set.</summary>
    public static void Allowed(Constraint constraint, List<int> ids)
    {
        ids.Clear();
        ReadOnlySpan<ulong> bits = constraint.Allowed();
        for (int id = 0; id < bits.Length * 64; id++)
        {
            if ((bits[id >> 6] >> id & 1) != 0)
                ids.Add(id);
        }
    }
}
