namespace Polymath.Generation.Constraints;

/// <summary>What one node of a <see cref="GrammarProgram"/> does.</summary>
internal enum NodeKind : byte
{
    /// <summary>Goes on at A or at B, where they are not -1.</summary>
    Split,

    /// <summary>Reads a match of machine Value, then goes on at A.</summary>
    Machine,

    /// <summary>Reads rule Value, then goes on at A.</summary>
    Call,

    /// <summary>Reads the control token of text Value, then goes on at A; at B where the vocabulary lacks it.</summary>
    Token,

    /// <summary>Reads a control token that has no node of its own, then goes on at A.</summary>
    OtherToken,

    /// <summary>The rule has been read.</summary>
    Accept,
}

/// <summary>One node.</summary>
internal readonly record struct Node(NodeKind Kind, int Value, int A, int B);

/// <summary>A compiled grammar: for each rule a nondeterministic automaton whose steps are machines, tokens and other rules. Immutable.</summary>
internal sealed class GrammarProgram
{
    private readonly Node[] _nodes;
    private readonly bool[] _live;
    private readonly ByteDfa[] _machines;
    private readonly int[] _starts;

    internal GrammarProgram(Node[] nodes, bool[] live, ByteDfa[] machines, int[] starts, string[] tokens)
    {
        _nodes = nodes;
        _live = live;
        _machines = machines;
        _starts = starts;
        Tokens = tokens;
        Classes = new ByteClasses(machines);
    }

    /// <summary>Number of nodes.</summary>
    public int Count => _nodes.Length;

    /// <summary>Number of rules.</summary>
    public int Rules => _starts.Length;

    /// <summary>Texts of the control tokens that are named.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Classes of bytes that no machine tells apart.</summary>
    public ByteClasses Classes { get; }

    /// <summary>A node.</summary>
    public ref readonly Node this[int node] => ref _nodes[node];

    /// <summary>True when the rule of a node can be read to its end from there.</summary>
    public bool IsLive(int node) => _live[node];

    /// <summary>Where a rule begins; rule 0 is the whole.</summary>
    public int Start(int rule) => _starts[rule];

    /// <summary>A machine.</summary>
    public ByteDfa Machine(int index) => _machines[index];

    /// <summary>Compiles a tree.</summary>
    /// <exception cref="ConstraintException">Too large, left-recursive, or without any match.</exception>
    public static GrammarProgram Compile(Expression root, CompileBudget budget) => new GrammarCompiler(budget).Compile(root);
}
