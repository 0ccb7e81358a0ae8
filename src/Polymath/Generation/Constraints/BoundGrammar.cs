using Polymath.Text;

namespace Polymath.Generation.Constraints;

/// <summary>A grammar over the tokens of one vocabulary, with the automaton that all its constraints share.</summary>
internal sealed class BoundGrammar
{
    private readonly GrammarProgram _program;
    private readonly TokenTrie _trie;
    private readonly int[] _tokenIds;
    private Automaton _automaton;

    public BoundGrammar(GrammarProgram program, Tokenizer tokenizer)
    {
        _program = program;
        _trie = TokenTrie.Of(tokenizer);
        _tokenIds = new int[program.Tokens.Count];
        Array.Fill(_tokenIds, -1);
        foreach (int id in _tokenIds.Length > 0 ? (int[])[.. _trie.Controls, .. _trie.Ends] : [])
        {
            for (int i = 0; i < _tokenIds.Length; i++)
            {
                if (program.Tokens[i] == tokenizer.TokenText(id))
                    _tokenIds[i] = id;
            }
        }

        _automaton = new Automaton(program, _trie, _tokenIds);
    }

    /// <summary>The automaton in use now.</summary>
    public Automaton Automaton => Volatile.Read(ref _automaton);

    /// <summary>A fresh automaton in the place of one that is full.</summary>
    public Automaton Renew(Automaton full)
    {
        Automaton current = Automaton;
        if (current != full)
            return current;
        Interlocked.CompareExchange(ref _automaton, new Automaton(_program, _trie, _tokenIds), full);
        return Automaton;
    }
}
