using Polymath.Models;
using Polymath.Tiny;
using Xunit;

namespace Polymath.Tests.Models;

/// <summary>Sessions of models whose layers keep a state that cannot be taken back token by token.</summary>
public sealed class RecurrentSessionTests : IDisposable
{
    private static readonly int[] s_first = [3, 14, 15, 92, 65, 35], s_second = [27, 18, 28], s_third = [31, 41, 5];

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"polymath-{Guid.NewGuid():N}.gguf");
    private readonly Model _model;

    public RecurrentSessionTests()
    {
        TinyArchitectures.Decoders["qwen35"]().Write(_path);
        _model = Model.Load(_path, new ModelOptions { Threads = 2, BatchSize = 4 });
    }

    public void Dispose()
    {
        _model.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void A_rewound_session_goes_back_to_the_end_of_a_prompt_and_gives_what_a_new_one_gives()
    {
        using Session session = _model.NewSession();
        session.Forward(s_first);
        foreach (int id in s_third)
            session.Forward([id]);
        session.Forward(s_second);
        foreach (int id in s_third)
            session.Forward([id]);
        Assert.Equal(12, session.Rewind(13));   // one answer is taken back; its prompt stays
        Assert.Equal(Fresh(s_first, s_third, s_second, [7]), session.Forward([7]).ToArray());
        Assert.Equal(6, session.Rewind(11));    // and its prompt too
        Assert.Equal(Fresh(s_first, s_second), session.Forward(s_second).ToArray());
        Assert.Equal(9, session.Rewind(9));
    }

    [Fact]
    public void Before_the_first_prompt_that_is_remembered_nothing_is_left()
    {
        using Session session = _model.NewSession();
        session.Forward(s_first);
        Assert.Equal(0, session.Rewind(5));
        Assert.Equal(Fresh(s_second), session.Forward(s_second).ToArray());
        session.Forward(s_third);
        session.Forward(s_first);
        session.Forward(s_second);
        Assert.Equal(0, session.Rewind(7));     // two prompts are remembered, these are older
        Assert.Equal(0, session.Position);
        Assert.Equal(Fresh(s_first), session.Forward(s_first).ToArray());
    }

    [Fact]
    public void What_was_remembered_of_another_text_is_forgotten()
    {
        using Session session = _model.NewSession();
        session.Forward(s_first);
        session.Forward(s_second);
        Assert.Equal(6, session.Rewind(6));
        session.Forward([1]);
        session.Forward([2]);
        session.Forward([3]);
        session.Forward([4]);
        Assert.Equal(6, session.Rewind(9));     // 9 tokens were another text before
        Assert.Equal(Fresh(s_first, [8]), session.Forward([8]).ToArray());
    }

    [Fact]
    public void A_call_that_fails_leaves_a_text_that_was()
    {
        using Session session = _model.NewSession();
        float[] expected = Fresh(s_first, s_second);
        session.Forward(s_first);
        Assert.Throws<OperationCanceledException>(() => session.Forward(s_second, new CancellationToken(true)));
        Assert.Equal(6, session.Position);
        Assert.Equal(expected, session.Forward(s_second).ToArray());
    }

    [Fact]
    public void Several_sessions_do_not_disturb_each_other()
    {
        using Session one = _model.NewSession(), other = _model.NewSession();
        one.Forward(s_first);
        other.Forward(s_third);
        Assert.Equal(Fresh(s_first, s_second), one.Forward(s_second).ToArray());
        Assert.Equal(Fresh(s_third, s_second), other.Forward(s_second).ToArray());
    }

    /// <summary>The logits of a new session after the texts.</summary>
    private float[] Fresh(params int[][] texts)
    {
        using Session session = _model.NewSession();
        return session.Forward([.. texts.SelectMany(text => text)]).ToArray();
    }
}
